"""The whole system in one deterministic, single-threaded simulation; one seed replays it."""
