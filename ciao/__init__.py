"""The shared ground: the law's terms, entries, tree, notes, sealing, wire, journal."""
