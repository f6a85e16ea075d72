"""Badges with a memory and a state of their own; they answer what they are asked, bit by bit."""
