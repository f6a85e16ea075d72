"""`[witness]` of gateway.toml: whose key it names. Pure."""

from __future__ import annotations

from ciao.errors import BadInput
from ciao.notes import COSIGNATURE_V1, NoteBroken, VerifierKey
from gateway.config import Witnessing


def witness_key(given: Witnessing) -> VerifierKey:
    """Read the outside witness's key; raise BadInput."""
    try:
        key = VerifierKey.parse(given.key)
        if key.kind != COSIGNATURE_V1:
            raise NoteBroken("a key that is not for cosignatures")
    except NoteBroken as error:
        what = f"gateway.toml: witness.key: {error}"
        raise BadInput(what, "give what `ciao-gateway witness init` printed") from error
    return key
