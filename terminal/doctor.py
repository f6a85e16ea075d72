"""Edge: looks at a terminal from outside, in the order a stamp takes, and says what is wrong.

It changes nothing and may run beside the terminal itself.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ciao.causes import classify
from ciao.entries import NotUnderstood, decode
from ciao.errors import BadInput
from ciao.journal import StoreFailed
from ciao.journal.peek import peek
from ciao.keys import load_sealing_key, load_signing_key
from ciao.moments import shown_text
from ciao.mqtt import tls_context
from ciao.reading import Reading
from hardware.control import ask
from hardware.probes.surroundings import Surroundings
from terminal.config import Config
from terminal.held import Held, Trust
from terminal.watch import diagnosis

CONNECT_TIMEOUT_S = 3.0
Verdict = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, how it is, in plain words, and what to do where there is something to do."""

    part: str
    verdict: Verdict
    said: str
    advice: str = ""


def examine(config: Config, now: Reading) -> list[Finding]:
    """Look at everything, in the order of a stamp's path."""
    state = _state(config)
    findings = [_program(config, running=state is not None), _clock(now), *_readers(config)]
    try:
        seal_key = load_sealing_key(config.base / config.settings.keys.seal)
        load_signing_key(config.base / config.settings.keys.enrolled)
        findings.append(Finding("keys", "ok", "both keys are here, and only we can read them"))
        findings += _held(config, seal_key, now)
    except BadInput as error:
        findings.append(Finding("keys", "fault", error.what, error.hint))
    return [*findings, _journal(config), _broker(config), *_watch(config, state)]


def _state(config: Config) -> dict[str, Any] | None:
    """Ask the running terminal what it knows; None where none runs here."""
    try:
        state = json.loads(ask(config.control, "state"))
    except (BadInput, ValueError):
        return None
    known = isinstance(state, dict) and {"causes", "outages", "maintenance"} <= state.keys()
    return state if known else None


def _program(config: Config, *, running: bool) -> Finding:
    if running:
        return Finding("program", "ok", "it runs, and answers")
    since = ""
    try:
        seen = peek(config.journal)
        if seen is not None:
            since = f" since {shown_text(decode(seen.newest).at, config.zone)} at the latest"
    except (StoreFailed, NotUnderstood):
        # Said of the journal, below.
        pass
    return Finding(
        "program", "fault", f"it does not run{since}: nobody can stamp", "ciao-terminal run"
    )


def _watch(config: Config, state: dict[str, Any] | None) -> Iterator[Finding]:
    """Say what the running terminal's watch says; without one, look around ourselves."""
    targets, complaints = config.targets()
    for complaint in complaints:
        yield Finding("probes", "warning", complaint, "correct it in terminal.toml")
    since: dict[str, str] = {}
    if state is None:
        try:
            tls = tls_context(config.settings.broker, config.base)
        except BadInput:
            # Said of the broker, above.
            return
        said: list[str] = []
        around = Surroundings(targets, tls, said.append).round()
        causes: dict[str, str] = dict(classify(around).items())
        yield from (Finding("probes", "warning", line, "correct it there") for line in said)
        found = [
            one for one in diagnosis.diagnose(causes, since, False) if one.part == "submitting"
        ]
    else:
        since = diagnosis.since(state, config.zone)
        found = diagnosis.diagnose(state["causes"], since, state["maintenance"])
    for one in found:
        yield Finding(one.part, "ok" if one.works else "fault", one.said, one.advice)


def _clock(now: Reading) -> Finding:
    if now.clock.synced:
        bound = f", within {now.clock.error_ms} ms" if now.clock.error_ms is not None else ""
        return Finding("clock", "ok", f"synchronised by {now.clock.source}{bound}")
    return Finding(
        "clock",
        "warning",
        "not synchronised: stamps are kept, and held until their time is known",
        "let the terminal reach a time server",
    )


def _readers(config: Config) -> Iterator[Finding]:
    for name, reader in config.settings.readers.items():
        if (config.base / reader.path).exists():
            yield Finding(f"reader {name}", "ok", f"there is a port at {reader.path}")
        else:
            yield Finding(
                f"reader {name}", "fault", f"no port at {reader.path}", "plug the reader in"
            )


def _held(config: Config, seal_key: X25519PrivateKey, now: Reading) -> Iterator[Finding]:
    trust = Trust(config.settings.terminal, config.provisioning_key, seal_key)
    held = Held(config.state, trust)
    for problem in held.load():
        yield Finding("binding", "fault", problem, "publish the binding again")
    bound = held.bound
    if bound is None:
        yield Finding(
            "binding",
            "fault",
            "none in force: nothing can be stamped",
            "bind this terminal with ciao-provision, and connect it once",
        )
        return
    declaration = bound.binding.declaration
    said = f"declaration {declaration.number} at {bound.binding.site.name}"
    left = declaration.expiring(now.at.date())
    if declaration.covers(now.at.date()) and left is not None:
        ends = f"{said} ends on {declaration.valid_until}, in {left} days"
        yield Finding("binding", "warning", ends, "have the terminal bound to the next one in time")
    elif declaration.covers(now.at.date()):
        yield Finding("binding", "ok", said)
    else:
        yield Finding("binding", "fault", f"{said} is not valid today", "bind a valid one")
    known = len(held.roster.badges) if held.roster else 0
    yield Finding("roster", "ok" if held.roster else "warning", f"badges known here: {known}")


def _journal(config: Config) -> Finding:
    try:
        seen = peek(config.journal)
    except StoreFailed as error:
        advice = "check the disk; a damaged file is put aside at the next start, never deleted"
        return Finding("journal", "fault", str(error), advice)
    if seen is None:
        return Finding("journal", "warning", "not begun yet", "start the terminal once")
    said = f"{seen.size} entries, {seen.settled} of them received by the gateway"
    if seen.quarantined:
        return Finding(
            "journal", "warning", f"{said}; {seen.quarantined} segments were put aside", "keep them"
        )
    if seen.backlog:
        return Finding("journal", "warning", f"{said}; {seen.backlog} stamps wait to be sent")
    return Finding("journal", "ok", said)


def _broker(config: Config) -> Finding:
    broker = config.settings.broker
    where = f"{broker.host}:{broker.port}"
    try:
        context = tls_context(broker, config.base)
        with socket.create_connection((broker.host, broker.port), CONNECT_TIMEOUT_S) as plain:
            if context is not None:
                context.wrap_socket(plain, server_hostname=broker.host).close()
    except BadInput as error:
        return Finding("broker", "fault", error.what, error.hint)
    except OSError as error:
        return Finding(
            "broker", "fault", f"{where} does not answer: {error}", "check the network cable first"
        )
    return Finding("broker", "ok", f"{where} answers")
