"""Whether the service is as we take it to be: `ciao-gateway onss check`."""
