"""The emulated twin of the reader: a PN532 and the badges in its field, as a process of its own."""
