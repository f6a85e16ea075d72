"""The commands of `ciao-provision`, a file a noun."""
