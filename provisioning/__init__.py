"""The registry of employers, terminals, people and badges, and the tools that fill it."""
