"""Edge: the gateway's HPKE keys, the present and the retired, each by its name."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ciao.keys import load_sealing_key
from ciao.sealing import key_id, unseal
from gateway.config import Keys
from gateway.people import Opener


def openers(keys: Keys, folder: Path) -> dict[str, Opener]:
    """Load what opens payloads; raise BadInput."""
    found: dict[str, Opener] = {}
    for path in (keys.hpke, *keys.retired_hpke):
        private = load_sealing_key(folder / path)
        found[key_id(private.public_key().public_bytes_raw())] = partial(unseal, private)
    return found
