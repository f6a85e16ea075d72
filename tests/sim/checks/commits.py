"""Commit, then tell: looked at from outside at the very moment of telling."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sim.evidence import Evidence


def shown_stamps_are_on_the_disk(evidence: Evidence) -> Iterator[str]:
    """When a light goes on, another process can read the entry."""
    return (words for what, words in evidence.truth.early if what == "shown")


def receipts_follow_commits(evidence: Evidence) -> Iterator[str]:
    """When a receipt goes out, another process can read that its entries are held."""
    return (words for what, words in evidence.truth.early if what == "receipt")
