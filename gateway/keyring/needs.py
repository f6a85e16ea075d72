"""What a retired HPKE key is still needed for. Pure.

A terminal seals to the key of the bundle in force there. It sends in order, so what it sealed
before it took another bundle is here once that bundle's entry is, unless an older part is owed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from ciao.binding import Binding
from ciao.sealing import key_id


@dataclass(frozen=True, slots=True)
class Needs:
    """Whether payloads are sealed to a key, and which terminals may bring further ones."""

    sealed: bool
    terminals: tuple[str, ...]

    @property
    def none(self) -> bool:
        """Whether nothing needs it."""
        return not self.sealed and not self.terminals


def needs(
    key: str,
    sealed: bool,
    in_force: Mapping[str, Binding | None],
    owing: frozenset[str],
) -> Needs:
    """Say what needs a key, by its id.

    `in_force`: of each terminal that is not revoked the newest bundle that its entries say it took;
    None where that is not known. `owing`: terminals that an older part of a log is asked of.
    """
    return Needs(
        sealed,
        tuple(
            terminal
            for terminal, bundle in sorted(in_force.items())
            if terminal in owing or bundle is None or _names(bundle, key)
        ),
    )


def _names(bundle: Binding, key: str) -> bool:
    return any(key_id(base64.b64decode(one.hpke)) == key for one in bundle.gateways)
