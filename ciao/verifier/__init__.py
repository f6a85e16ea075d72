"""The verifier: a bundle and keys from elsewhere, and nothing else."""
