"""Evidence bundles from the gateway's ledger."""
