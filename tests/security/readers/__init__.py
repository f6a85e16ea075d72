"""Every reader that faces a wire or a file, by its name: one line a reader."""

from tests.security.readers import files, neighbours, protocol
from tests.security.readers.reader import Reader

READERS: dict[str, Reader] = protocol.READERS | neighbours.READERS | files.READERS
