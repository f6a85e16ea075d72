"""Tests of `hardware`: real drivers on emulated chips, through real pseudo-terminals."""
