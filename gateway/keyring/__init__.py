"""The gateway's own keys: which are in use, which are retired, and what still needs those."""
