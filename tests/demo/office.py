"""What an employer does before the first tap, with the product's own commands."""

from __future__ import annotations

import re
import subprocess
from datetime import date, timedelta
from pathlib import Path

from tests.demo.people import DECLARATION, EXEMPLE, TERMINAL, VOORBEELD, Company, Person
from tests.demo.processes import script
from tests.support.ports import free_port

CLIENT = "demo:{}"
DOMAIN = "badges.example.be"
# The machine that plays both may keep its clock from outside, where the kernel can't see it.
_CLOCK = "\n[clock]\nassured_error_ms = 1000\n"


class Office:
    """`ciao-provision`, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def public_keys(self) -> list[str]:
        """`CLIENT=PUBLIC.pem` of each employer, for the ONSS."""
        return [
            f"{CLIENT.format(company.id)}={self.folder}/gateway/onss-{company.id}.pub.pem"
            for company in (EXEMPLE, VOORBEELD)
        ]

    def open(self, *, broker_port: int, tls: bool, base_url: str, token_url: str) -> None:
        """Make the registry, the keys, two companies, one declaration and one site."""
        self._provision(
            "init",
            domain=DOMAIN,
            broker_port=broker_port,
            enrolment_port=free_port(),
            onss_base_url=base_url,
            onss_token_url=token_url,
            **{"broker_tls" if tls else "no_broker_tls": None},
        )
        with (self.folder / "gateway.toml").open("a") as settings:
            settings.write(_CLOCK)
        for company in (EXEMPLE, VOORBEELD):
            self._add_company(company)
        self._provision(f"declaration add {DECLARATION}", employer=EXEMPLE.id)
        self._provision(
            "site add hall",
            name="Hall d'exemple",
            post_code="1000",
            municipality="Bruxelles",
            street="Rue de l'Exemple",
            number="1",
        )

    def add_site(self, site: str, name: str) -> None:
        """Enter one more site."""
        self._provision(
            f"site add {site}",
            name=name,
            post_code="2000",
            municipality="Antwerpen",
            street="Voorbeeldstraat",
            number="2",
        )

    def add_terminal(
        self,
        folder: Path,
        reader: Path,
        broker_port: int,
        terminal: str = TERMINAL,
        **options: object,
    ) -> None:
        """Provision a terminal; `broker_port` is the wire that it reaches the broker by."""
        self._provision(
            f"terminal add {terminal}",
            mode="buttons",
            languages="fr,nl,de,en",
            out=folder,
            reader=f"main={reader}",
            **options,
        )
        settings = folder / "terminal.toml"
        text = re.sub(r"(?m)^port = \d+$", f"port = {broker_port}", settings.read_text())
        settings.write_text(text + _CLOCK)

    def add_person(self, person: Person) -> None:
        """Enter an employment and its badge."""
        employment = self._provision(
            "employment add",
            employer=person.company.id,
            ssin=person.ssin,
            name=person.name,
            initials="".join(word[0] for word in person.name.split()),
            language=person.language,
            **{"from": (date.today() - timedelta(days=365)).isoformat()},
        )
        self._provision("badge add", uid=person.uid, employment=employment)

    def write_policy(self, path: Path) -> None:
        """Write whom a verifier should trust: the gateway's cosigner, the provisioning keys."""
        self._provision("policy", out=path)

    def write_broker(self, folder: Path, user: str | None) -> None:
        """Write mosquitto's configuration."""
        self._provision("broker", out=folder, **({"user": user} if user else {}))

    def _add_company(self, company: Company) -> None:
        self._provision(
            f"employer add {company.id}",
            name=company.name,
            company=company.number,
            onss_client=CLIENT.format(company.id),
        )

    def _provision(self, command: str, **options: object) -> str:
        """Run one command; return what it printed last. An option of None is a flag."""
        line = [script("ciao-provision"), *command.split(), "--dir", str(self.folder)]
        for name, value in options.items():
            line.append("--" + name.replace("_", "-"))
            if value is not None:
                line.append(str(value))
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"ciao-provision {command} failed:\n{done.stderr}")
        return (done.stdout.splitlines() or [""])[-1].strip()
