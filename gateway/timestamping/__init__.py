"""Time stamps from an outside authority, on what the gateway's own journal commits to."""
