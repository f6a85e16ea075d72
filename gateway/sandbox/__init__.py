"""A stand-in for the ONSS, written from what is publicly known of it; shares no code with ours."""
