"""Evidence bundles from the terminal alone."""
