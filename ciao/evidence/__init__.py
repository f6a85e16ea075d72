"""The evidence bundle: its lines, and how it is written (docs/protocol/evidence.md)."""
