"""An outside witness by C2SP tlog-witness: the side that asks, and a minimal one."""
