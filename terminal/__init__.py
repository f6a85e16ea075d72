"""The program on the wall: it stamps, keeps, shows and sends."""

# As in setup.cfg; a test holds them together. Asking for the installed one costs 24 ms of a start.
VERSION = "0.1.0"
