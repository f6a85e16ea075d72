"""Correction dossiers: the one thing an employer may still do about a registration (Q35)."""
