"""The gateway's own watch: its journal, the ONSS's side, terminals that fell silent."""
