"""Every reader of the table, hunted by libFuzzer: each input grows out of what reached new code."""
