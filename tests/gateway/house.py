"""A provisioned world as a gateway finds it, and its terminal's papers, by the real commands."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from ciao import names
from ciao.keys import load_sealing_key, load_signing_key
from ciao.notes import Signer
from ciao.sealing import key_id, unseal
from gateway.people import Opener
from tests.gateway.twins import DOMAIN, Papers
from tests.support import world as provisioned

TERMINAL = "door-1"


@dataclass
class House:
    """A folder of `ciao-provision`, with one person whose badge is enrolled."""

    world: provisioned.World

    @property
    def folder(self) -> Path:
        return self.world.folder

    def openers(self) -> dict[str, Opener]:
        private = load_sealing_key(self.folder / "gateway/hpke.pem")
        public = private.public_key().public_bytes_raw()
        return {key_id(public): partial(unseal, private)}

    def papers(self, start: datetime) -> Papers:
        """What the terminal holds; it stamps from `start` on."""
        enrolled = load_signing_key(self.folder / TERMINAL / "enrolled.pem")
        with self.world.registry() as registry:
            (issued,) = registry.bindings(TERMINAL)
            bundle = registry.opened(issued).binding
        return Papers(
            Signer(names.enrolled_key_name(DOMAIN, TERMINAL), enrolled),
            base64.b64decode(bundle.gateways[0].hpke),
            issued.sha256,
            bundle.declaration.number,
            start,
        )


def make_house(folder: Path, *init: str, now: datetime = provisioned.START) -> House:
    world = provisioned.make_world(folder, *init, now=now)
    world.enrol(provisioned.UIDS[0], world.employ(provisioned.SSINS[0], "A. B."))
    return House(world)
