"""From a tap in the ledger to what the ONSS says of it: whose it is, whose turn, the calls."""
