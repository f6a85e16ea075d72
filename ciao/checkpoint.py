"""Checkpoints (C2SP tlog-checkpoint): origin, size and root of a log, as a note's text."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from ciao.notes import NoteBroken
from ciao.tree import HASH_SIZE

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: the root over its first `size` entries."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Write the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the three lines; raise NoteBroken. Extension lines are not used here."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise NoteBroken("a checkpoint has three lines: origin, size, root")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (ValueError, binascii.Error) as error:
            raise NoteBroken("a root that is not base64") from error
        checkpoint = cls(lines[0], int(lines[1]), root)
        if len(root) != HASH_SIZE or checkpoint.text() != text:
            raise NoteBroken("a root of the wrong length or form")
        return checkpoint
