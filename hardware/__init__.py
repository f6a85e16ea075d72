"""What a terminal is made of, each real part beside its emulated twin."""
