"""What became of a tap, for a person: its reason in words, and its whole story."""
