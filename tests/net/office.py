"""An operator for the networks: provisioned by the product's own commands, at known addresses."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.demo.office import DOMAIN, Office
from tests.demo.people import DECLARATION, EXEMPLE
from tests.net.networks import ANCHORS, BROKER, GATEWAY, SECOND_DNS
from tests.net.onss import BASE_URL, TOKEN_URL

BROKER_NAME = "mqtt.example.be"
_ANCHORS = ", ".join(f'"{address}:443"' for address in ANCHORS)
_LOOKED_AT = f"""\
anchors = [{_ANCHORS}]
second_resolver = "{SECOND_DNS}"
"""
_CLOCK = "\n[clock]\nassured_error_ms = 1000\n"


def provisioned(folder: Path) -> Office:
    """Make the operator: a company with a declaration and a site, and mosquitto's settings."""
    office = Office(folder)
    folder.mkdir()
    office._provision(
        "init",
        domain=DOMAIN,
        broker_host=BROKER_NAME,
        enrolment_host=GATEWAY,
        onss_base_url=BASE_URL,
        onss_token_url=TOKEN_URL,
    )
    office._add_company(EXEMPLE)
    office._provision(f"declaration add {DECLARATION}", employer=EXEMPLE.id)
    site = {"name": "Hall", "post_code": "1000", "municipality": "Bruxelles"}
    office._provision("site add hall", **site, street="Rue de l'Exemple", number="1")
    user = {"user": "root"} if os.geteuid() == 0 else {}
    office._provision("broker", out=folder.parent / "broker", listen=BROKER, **user)
    return office


def set_up(settings: Path, onss_ca: Path, *, enrols: bool = True) -> None:
    """Tell a gateway whom to trust as the ONSS, and whom else to look at."""
    text = settings.read_text().replace("[onss]\n", f'[onss]\nca = "{onss_ca}"\n')
    if not enrols:
        text = re.sub(r"(?ms)^\[enrolment\]\n.*?(?=^\[|\Z)", "", text)
    settings.write_text(text.replace("anchors = []\n", _LOOKED_AT) + _CLOCK)
