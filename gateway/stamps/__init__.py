"""One person's stamps, for that person."""
