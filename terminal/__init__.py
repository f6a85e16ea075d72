"""The program on the wall: it stamps, keeps, shows and sends."""
