"""What the gateway deletes after its time, and says that it did (decision 38)."""
