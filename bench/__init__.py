"""The figures, each beside the bare thing it is measured against, in one run."""
