"""Signing and issuing: what a terminal is bound to, and the roster it greets by.

The employer's provisioning key signs, at the command that changes something; the gateway publishes
what it finds here and never holds that key. Serials are UTC seconds and only ever grow.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from ciao import binding, canonical, roster
from ciao.errors import BadInput
from ciao.keys import RandomBytes
from ciao.names import terminal_id
from ciao.notes import Signer, VerifierKey
from ciao.reading import rfc3339
from ciao.sealing import Sealer
from ciao.texts import LANGUAGES
from provisioning.registry import organisation
from provisioning.registry.records import Declaration, Gateway, IssuedBinding, Site, Terminal
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change, instant

ROSTER_KEY_SIZE = 32
# What fits into a roster's 192 KiB with room to spare; beyond it the newest badges are taken.
ROSTER_BADGES_MAX = 2000

SignerFor = Callable[[str], Signer]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a terminal is to be bound to, from `starts` on."""

    site: str
    declaration: str
    mode: str
    languages: tuple[str, ...]
    time_zone: str
    lateness: binding.Lateness
    starts: datetime


def add_terminal(
    registry: Registry,
    change: Change,
    terminal: Terminal,
    random_bytes: RandomBytes,
) -> None:
    """Add a terminal by its public keys, with a roster key of its own."""
    terminal_id(terminal.id)
    if registry.terminal(terminal.id) is not None:
        raise BadInput(f"there is a terminal {terminal.id!r} already", "choose another id")
    key = random_bytes(ROSTER_KEY_SIZE)

    def encrypt(row: int) -> dict[str, bytes]:
        return {"roster_key": registry.fields.encrypt(key, "terminals", "roster_key", row)}

    values = {
        "id": terminal.id,
        "employer": terminal.employer,
        "enrolled": str(terminal.enrolled),
        "seal": b64encode(terminal.seal).decode(),
    }
    change.append("terminals", values, encrypt=encrypt)


def named(gateways: Sequence[Gateway]) -> list[binding.GatewayKeys]:
    """List the keys that a bundle names: each gateway's own, then those about to succeed them.

    What a tap is sealed to is the first one's, so what follows only cosigns yet.
    """
    own = [(one.id, one.keys) for one in gateways]
    own += [(one.id, one.following) for one in gateways if one.following is not None]
    return [binding.GatewayKeys(name, keys.hpke, str(keys.cosigner)) for name, keys in own]


def bind(
    registry: Registry,
    change: Change,
    terminal: str,
    terms: Terms,
    signer_for: SignerFor,
    now: datetime,
) -> IssuedBinding | None:
    """Sign and issue a terminal's next bundle; None where it holds exactly that already."""
    known = registry.terminal(terminal)
    if known is None:
        raise BadInput(f"there is no terminal {terminal!r}", "see: ciao-provision terminal list")
    site, declaration = _site(registry, terms), _declaration(registry, terms, known)
    _languages(terms.languages)
    issued = registry.bindings(terminal)
    serial = _serial(now, issued[-1].serial if issued else 0)
    bundle = _bundle(registry, known, terms, site, declaration, serial)
    if _unchanged(registry, issued, bundle, terms.starts):
        return None
    return issue(registry, change, bundle, site.id, signer_for)


def reissue(
    registry: Registry,
    change: Change,
    old: IssuedBinding,
    bundle: binding.Binding,
    signer_for: SignerFor,
    now: datetime,
) -> IssuedBinding:
    """Sign a bundle that says anew what an issued one said, from now or from its own moment."""
    serial = _serial(now, registry.bindings(old.terminal)[-1].serial)
    starts = rfc3339(now) if old.effective_from <= now else bundle.effective_from
    fresh = msgspec.structs.replace(bundle, serial=serial, effective_from=starts)
    return issue(registry, change, fresh, old.site, signer_for)


def issue(
    registry: Registry,
    change: Change,
    bundle: binding.Binding,
    site: str,
    signer_for: SignerFor,
) -> IssuedBinding:
    """Sign and note a bundle; raise BadInput for one that no terminal would take."""
    note = binding.sign(bundle, signer_for(bundle.employer))
    # What we would not accept ourselves is never issued.
    employer = registry.employer(bundle.employer)
    assert employer is not None
    try:
        signed = binding.open_signed(note, [employer.provisioning_key])
    except binding.BindingRefused as error:
        raise BadInput(f"that binding is not allowed: {error}", "look at its options") from error
    starts = bundle.starts_at()
    values = {
        "terminal": bundle.terminal,
        "serial": bundle.serial,
        "site": site,
        "effective_from": instant(starts),
        "sha256": signed.sha256,
        "note": note,
    }
    change.append("bindings", values)
    return IssuedBinding(bundle.terminal, bundle.serial, site, starts, signed.sha256, note)


def _languages(languages: tuple[str, ...]) -> None:
    unknown = [language for language in languages if language not in LANGUAGES]
    if unknown or not languages or len(set(languages)) != len(languages):
        raise BadInput(
            f"languages {','.join(languages)!r} are not allowed",
            f"some of {','.join(LANGUAGES)}, each once; the first leads",
        )


def _site(registry: Registry, terms: Terms) -> Site:
    sites = {site.id: site for site in registry.sites()}
    organisation.found("site", terms.site, sites)
    site = sites[terms.site]
    if site.ended_at is not None and site.ended_at <= terms.starts:
        raise BadInput(f"site {site.id} ended at {instant(site.ended_at)}", "choose another site")
    return site


def _declaration(registry: Registry, terms: Terms, terminal: Terminal) -> Declaration:
    declarations = {one.number: one for one in registry.declarations()}
    organisation.found("declaration", terms.declaration, declarations)
    declaration = declarations[terms.declaration]
    if declaration.employer != terminal.employer:
        raise BadInput(
            f"{declaration.number} is {declaration.employer}'s, {terminal.id} trusts"
            f" {terminal.employer}",
            "a terminal that changes hands is added again, under another id",
        )
    day = terms.starts.date()
    if not declaration.for_binding().covers(day):
        raise BadInput(
            f"{declaration.number} is not valid on {day}",
            f"see: ciao-provision declaration show {declaration.number}",
        )
    return declaration


def _bundle(
    registry: Registry,
    terminal: Terminal,
    terms: Terms,
    site: Site,
    declaration: Declaration,
    serial: int,
) -> binding.Binding:
    gateways = named(registry.gateways())
    if not gateways:
        raise BadInput("no gateway is known", "make one with: ciao-provision init")
    return binding.Binding(
        v=1,
        serial=serial,
        employer=terminal.employer,
        terminal=terminal.id,
        enrolled=str(terminal.enrolled),
        site=site.site,
        declaration=declaration.for_binding(),
        effective_from=rfc3339(terms.starts),
        mode="lanes" if terms.mode == "lanes" else "buttons",
        languages=list(terms.languages),
        gateways=gateways,
        lateness=terms.lateness,
        time_zone=terms.time_zone,
    )


def _unchanged(
    registry: Registry, issued: list[IssuedBinding], bundle: binding.Binding, starts: datetime
) -> bool:
    """Say whether the last word from `starts` on is this already."""
    if not issued or issued[-1].effective_from > starts:
        return False
    last = registry.opened(issued[-1]).binding
    same = msgspec.structs.replace(last, serial=0, effective_from="")
    return bool(same == msgspec.structs.replace(bundle, serial=0, effective_from=""))


def _serial(now: datetime, last: int) -> int:
    return max(int(now.timestamp()), last + 1)


def renew_rosters(
    registry: Registry, change: Change, signer_for: SignerFor, seal: Sealer, now: datetime
) -> list[str]:
    """Sign and seal the roster of each terminal whose content changed; return their ids.

    People's periods are judged at `now`: one who left since the last change stays on a roster
    until the next, which greets wrongly and resolves rightly.
    """
    holders = _holders(registry, now)
    renewed = []
    for terminal in registry.terminals():
        key = registry.roster_key(terminal.id)
        badges = {roster.badge_hash(key, uid): holder for uid, holder in holders}
        last = registry.store.row(
            "SELECT serial, content FROM rosters WHERE terminal = ?", [terminal.id]
        )
        encoded_key = b64encode(key).decode()
        fresh = roster.Roster(v=1, serial=0, terminal=terminal.id, key=encoded_key, badges=badges)
        signer = signer_for(terminal.employer)
        content = _content(fresh, signer.verifier())
        if last is not None and last["content"] == content:
            continue
        serial = _serial(now, last["serial"] if last else 0)
        fresh = msgspec.structs.replace(fresh, serial=serial)
        sealed = roster.seal_roster(fresh, signer, terminal.seal, seal)
        change.put_roster(terminal.id, serial, content, sealed)
        renewed.append(terminal.id)
    return renewed


def _content(fresh: roster.Roster, key: VerifierKey) -> str:
    """Name a roster's content; it holds a secret key, so its hash tells nothing."""
    return hashlib.sha256(canonical.encode(fresh) + str(key).encode()).hexdigest()


def _holders(registry: Registry, now: datetime) -> list[tuple[bytes, roster.Holder]]:
    """List who may tap from now on, by UID, the oldest enrolment first."""
    employments = {one.id: one for one in registry.employments()}
    current = []
    for badge in registry.badges():
        holder = employments[badge.employment]
        period = badge.period.within(holder.period)
        if period.end is None or (now < period.end and period.start < period.end):
            current.append((badge, holder))
    current = current[-ROSTER_BADGES_MAX:]
    # Where a badge is about to change hands, who has it now is greeted: the last of a UID stays.
    current.sort(key=lambda one: (one[0].period.covers(now), -one[0].period.start.timestamp()))
    return [
        (
            registry.uid_of(badge.id),
            roster.Holder(
                holder.initials,
                holder.language,
                badge.revoked_at is not None and badge.revoked_at <= now,
            ),
        )
        for badge, holder in current
    ]
