"""Edge: the files a command makes, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from ciao.errors import BadInput
from ciao.keys import replace_file, sync_directory, write_secret
from provisioning.ca import Identity


class NewFiles:
    """Files made by one command; where it fails, what it made is removed again.

    Used around a registry change, so that rows and files stand or fall together.
    """

    def __init__(self) -> None:
        self._made: list[Path] = []
        self._before: dict[Path, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._undo()

    def _undo(self) -> None:
        for path, content in self._before.items():
            replace_file(path, content)
        for path in reversed(self._made):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)

    def folder(self, path: Path) -> Path:
        """Make a folder, mode 0700, unless it is there, with the ones above it."""
        if path.is_dir():
            return path
        if path.parent != path:
            self.folder(path.parent)
        with _explained(path):
            path.mkdir(mode=0o700)
        self._made.append(path)
        return path

    def expected(self, path: Path) -> Path:
        """Note a file that another will make, so that it is removed on failure."""
        if path.exists():
            raise BadInput(f"{path} exists already", "choose another folder")
        self._made.append(path)
        return path

    def secret(self, path: Path, content: bytes) -> None:
        """Write a file that only we can read and that must not exist yet."""
        with _explained(path):
            write_secret(self.expected(path), content)

    def public(self, path: Path, content: bytes) -> None:
        """Write a file that everyone may read and that must not exist yet."""
        self.expected(path)
        with _explained(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            sync_directory(path.parent)

    def identity(self, folder: Path, name: str, identity: Identity) -> None:
        """Write a certificate and its key, `<name>.pem` and `<name>.key`; neither may exist."""
        self.public(folder / f"{name}.pem", identity.certificate_pem)
        self.secret(folder / f"{name}.key", identity.key_pem)

    def printed(self, path: Path, content: bytes) -> None:
        """Write a page that everyone may read, in place of the one printed before."""
        fresh = path.with_name(path.name + ".new")
        with _explained(path):
            fresh.unlink(missing_ok=True)
            self.public(fresh, content)
            fresh.replace(path)

    def append(self, path: Path, content: bytes) -> None:
        """Add to the end of a file, whole or not at all."""
        with _explained(path):
            before = path.read_bytes()
            self._before.setdefault(path, before)
            replace_file(path, before + content)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"can't make {path}: {error.strerror}",
            "choose another folder, or free some space",
        ) from error
