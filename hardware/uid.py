"""What a UID says of itself (ISO/IEC 14443-3, 6.5.4). Pure."""

from __future__ import annotations

_RANDOM_FIRST = 0x08


def is_random(uid: bytes) -> bool:
    """Say whether this UID changes with every field: 4 bytes beginning 08, as phones send."""
    return len(uid) == 4 and uid[0] == _RANDOM_FIRST
