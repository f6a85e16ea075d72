"""Edge: the lists that an authority stamped, and its replies, in a folder: two files a stamp.

A reply is there only after its list; what is there in part counts as not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ciao.evidence import stamped
from ciao.evidence.stamped import DocumentBroken
from ciao.keys import replace_file
from ciao.reading import parse_rfc3339


class Shelf:
    """A folder of stamped lists. One process writes; others may read meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, document: bytes, reply: bytes) -> str:
        """Keep a list and its reply, durably; return the list's SHA-256. Raises OSError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        digest = hashlib.sha256(document).hexdigest()
        path = self._path(digest)
        replace_file(path, document)
        replace_file(path.with_suffix(stamped.REPLY), reply)
        return digest

    def each(self) -> Iterator[tuple[datetime, bytes, bytes]]:
        """Yield when each list was made, the list and its reply, in the order of their names."""
        for path in sorted(self._folder.glob(f"*{stamped.DOCUMENT}")):
            try:
                document = path.read_bytes()
                reply = path.with_suffix(stamped.REPLY).read_bytes()
                at = parse_rfc3339(stamped.decode(document).at)
            except (OSError, DocumentBroken, ValueError):
                continue
            yield at, document, reply

    def newest(self) -> datetime | None:
        """Say when the newest list was made."""
        return max((at for at, _, _ in self.each()), default=None)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}{stamped.DOCUMENT}"
