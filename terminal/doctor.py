"""Edge: looks at a terminal from outside, in the order a stamp takes, and says what is wrong.

It changes nothing and may run beside the terminal itself. What it says is in a language of its
texts; what is wrong with a file is said in English, as everywhere.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ciao.binding import Binding
from ciao.causes import classify
from ciao.entries import NotUnderstood, decode
from ciao.errors import BadInput
from ciao.journal import StoreFailed
from ciao.journal.peek import peek
from ciao.keys import load_sealing_key, load_signing_key
from ciao.moments import shown_text
from ciao.mqtt import tls_context
from ciao.reading import Reading
from ciao.texts import N_
from hardware.control import ask
from hardware.probes.surroundings import Surroundings
from terminal.config import Config
from terminal.held import Held, Trust
from terminal.watch import diagnosis, remembered
from terminal.watch.diagnosis import Say

CONNECT_TIMEOUT_S = 3.0
Verdict = Literal["ok", "warning", "fault", "past"]
# What each verdict and each part is called, for whoever reads it.
MARKS: dict[Verdict, str] = {
    "ok": N_("ok"),
    "warning": N_("warning"),
    "fault": N_("FAULT"),
    "past": N_("past"),
}
PARTS: dict[str, str] = {
    "program": N_("program"),
    "clock": N_("clock"),
    "reader": N_("reader"),
    "keys": N_("keys"),
    "binding": N_("binding"),
    "roster": N_("roster"),
    "journal": N_("journal"),
    "broker": N_("broker"),
    "probes": N_("probes"),
    "registering": N_("registering"),
    "submitting": N_("submitting"),
    "maintenance": N_("maintenance"),
    "outage": N_("outage"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, how it is, in plain words, and what to do where there is something to do."""

    part: str
    verdict: Verdict
    said: str
    advice: str = ""

    def named(self, say: Say) -> str:
        """Name the part, with the name that was given it."""
        part, _, name = self.part.partition(" ")
        return f"{say(PARTS[part])} {name}".rstrip()


def examine(config: Config, now: Reading, say: Say = str) -> list[Finding]:
    """Look at everything, in the order of a stamp's path."""
    state = _state(config)
    findings = [_program(config, state is not None, say), _clock(now, say)]
    findings += _readers(config, say)
    try:
        seal_key = load_sealing_key(config.base / config.settings.keys.seal)
        load_signing_key(config.base / config.settings.keys.enrolled)
        findings.append(
            Finding("keys", "ok", say(N_("both keys are here, and only we can read them")))
        )
        findings += _held(config, seal_key, now, say)
    except BadInput as error:
        findings.append(Finding("keys", "fault", error.what, error.hint))
    findings += [_journal(config, say), _broker(config, say), *_watch(config, state, say)]
    return [*findings, *_past(config, now, state is not None, say)]


def _state(config: Config) -> dict[str, Any] | None:
    """Ask the running terminal what it knows; None where none runs here."""
    try:
        state = json.loads(ask(config.control, "state"))
    except (BadInput, ValueError):
        return None
    known = isinstance(state, dict) and {"causes", "outages", "maintenance"} <= state.keys()
    return state if known else None


def _past(config: Config, now: Reading, running: bool, say: Say) -> Iterator[Finding]:
    """Tell the newest outages of its journal; what lasts a running terminal has told itself."""
    for one in remembered.newest(config.journal, now.at):
        lasts = one.ended is None
        if not (lasts and running):
            said = remembered.said(one, config.zone, say)
            yield Finding("outage", "warning" if lasts else "past", said)


def _program(config: Config, running: bool, say: Say) -> Finding:
    if running:
        return Finding("program", "ok", say(N_("it runs, and answers")))
    said = say(N_("it does not run: nobody can stamp"))
    try:
        seen = peek(config.journal)
        if seen is not None:
            since = shown_text(decode(seen.newest).at, config.zone)
            text = N_("it does not run since {since} at the latest: nobody can stamp")
            said = say(text).format(since=since)
    except (StoreFailed, NotUnderstood):
        # Said of the journal, below.
        pass
    return Finding("program", "fault", said, "ciao-terminal run")


def _watch(config: Config, state: dict[str, Any] | None, say: Say) -> Iterator[Finding]:
    """Say what the running terminal's watch says; without one, look around ourselves."""
    targets, complaints = config.targets()
    for complaint in complaints:
        yield Finding("probes", "warning", complaint, say(N_("correct it in terminal.toml")))
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
        there = say(N_("correct it there"))
        yield from (Finding("probes", "warning", line, there) for line in said)
        seen = diagnosis.diagnose(causes, since, False, say)
        found = [one for one in seen if one.part == "submitting"]
    else:
        since = diagnosis.since(state, config.zone)
        found = diagnosis.diagnose(state["causes"], since, state["maintenance"], say)
    for one in found:
        yield Finding(one.part, "ok" if one.works else "fault", one.said, one.advice)


def _clock(now: Reading, say: Say) -> Finding:
    if now.clock.synced:
        text = N_("synchronised by {source}")
        if now.clock.error_ms is not None:
            text = N_("synchronised by {source}, within {bound} ms")
        said = say(text).format(source=now.clock.source, bound=now.clock.error_ms)
        return Finding("clock", "ok", said)
    return Finding(
        "clock",
        "warning",
        say(N_("not synchronised: stamps are kept, and held until their time is known")),
        say(N_("let the terminal reach a time server")),
    )


def _readers(config: Config, say: Say) -> Iterator[Finding]:
    for name, reader in config.settings.readers.items():
        if (config.base / reader.path).exists():
            said = say(N_("there is a port at {path}")).format(path=reader.path)
            yield Finding(f"reader {name}", "ok", said)
        else:
            said = say(N_("no port at {path}")).format(path=reader.path)
            yield Finding(f"reader {name}", "fault", said, say(N_("plug the reader in")))


def _held(config: Config, seal_key: X25519PrivateKey, now: Reading, say: Say) -> Iterator[Finding]:
    trust = Trust(config.settings.terminal, config.provisioning_key, seal_key)
    held = Held(config.state, trust)
    for problem in held.load():
        yield Finding("binding", "fault", problem, say(N_("publish the binding again")))
    bound = held.bound
    if bound is None:
        yield Finding(
            "binding",
            "fault",
            say(N_("none in force: nothing can be stamped")),
            say(N_("bind this terminal with ciao-provision, and connect it once")),
        )
        return
    yield _declared(bound.binding, now.at.date(), say)
    known = len(held.roster.badges) if held.roster else 0
    said = say(N_("badges known here: {count}")).format(count=known)
    yield Finding("roster", "ok" if held.roster else "warning", said)


def _declared(bound: Binding, today: date, say: Say) -> Finding:
    """Say whether the declaration that stamps are made for is good, and for how long."""
    declaration = bound.declaration
    text = say(N_("declaration {number} at {site}"))
    said = text.format(number=declaration.number, site=bound.site.name)
    left = declaration.expiring(today)
    if not declaration.covers(today):
        over = say(N_("{declaration} is not valid today")).format(declaration=said)
        return Finding("binding", "fault", over, say(N_("bind a valid one")))
    if left is None:
        return Finding("binding", "ok", said)
    text = say(N_("{declaration} ends on {day}; days left: {left}"))
    ends = text.format(declaration=said, day=declaration.valid_until, left=left)
    advice = say(N_("have the terminal bound to the next one in time"))
    return Finding("binding", "warning", ends, advice)


def _journal(config: Config, say: Say) -> Finding:
    try:
        seen = peek(config.journal)
    except StoreFailed as error:
        text = N_("check the disk; a damaged file is put aside at the next start, never deleted")
        return Finding("journal", "fault", str(error), say(text))
    if seen is None:
        advice = say(N_("start the terminal once"))
        return Finding("journal", "warning", say(N_("not begun yet")), advice)
    said = say(N_("{size} entries, {settled} of them received by the gateway"))
    said = said.format(size=seen.size, settled=seen.settled)
    if seen.quarantined:
        aside = say(N_("segments put aside: {count}")).format(count=seen.quarantined)
        return Finding("journal", "warning", f"{said}; {aside}", say(N_("keep them")))
    if seen.backlog:
        waits = say(N_("stamps that wait to be sent: {count}")).format(count=seen.backlog)
        return Finding("journal", "warning", f"{said}; {waits}")
    return Finding("journal", "ok", said)


def _broker(config: Config, say: Say) -> Finding:
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
        said = say(N_("{where} does not answer: {why}")).format(where=where, why=error)
        return Finding("broker", "fault", said, say(N_("check the network cable first")))
    return Finding("broker", "ok", say(N_("{where} answers")).format(where=where))
