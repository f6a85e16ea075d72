"""The other end: custody of the terminals' entries, forwarding to the ONSS, evidence."""
