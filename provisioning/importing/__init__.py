"""People and badges from a spreadsheet: every line is fine, or nothing is done."""
