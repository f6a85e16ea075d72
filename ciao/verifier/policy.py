"""Whom a verifier trusts: cosigners and a quorum (C2SP tlog-policy), provisioning and TSA keys.

The inspector brings this file; nothing of it comes from the bundle. Pure.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.x509 import Certificate, load_der_x509_certificate

from ciao import notes
from ciao.certificates import UNREADABLE
from ciao.errors import BadInput
from ciao.notes import Note, NoteBroken, VerifierKey
from ciao.reading import parse_rfc3339

_HINT = "see 'The policy' in docs/protocol/evidence.md"


@dataclass(frozen=True, slots=True)
class Group:
    """Enough of its members make it count."""

    needed: int
    members: tuple[str, ...]


@dataclass(slots=True)
class Policy:
    """Cosigners by name, groups of them, which of these is the quorum, and other trusted keys."""

    cosigners: dict[str, VerifierKey] = field(default_factory=dict)
    # Whole seconds since 1970, of those whose key was succeeded: what is later doesn't count.
    until: dict[str, int] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = ""
    # What a gateway's own journal must have as well; "" for nothing.
    journals: str = ""
    provisioning: list[VerifierKey] = field(default_factory=list)
    tsa: list[Certificate] = field(default_factory=list)

    def times(self, note: Note) -> dict[str, int]:
        """Return who of the cosigners cosigned a note, and when; raise NoteBroken for a bad one.

        Whole seconds since 1970.
        """
        found = {}
        present = {(s.name, s.key_id) for s in note.signatures}
        for name, key in self.cosigners.items():
            if (key.name, key.key_id) in present:
                at_s = notes.cosignature_time(note, key)
                if at_s <= self.until.get(name, at_s):
                    found[name] = at_s
        return found

    def moment(self, times: Mapping[str, int]) -> int | None:
        """Return when the quorum had cosigned; None where it has not."""
        return self._moment(self.quorum, times)

    def witnessed(self, times: Mapping[str, int]) -> int | None:
        """Return when a checkpoint had what is asked for of a gateway's own journal; None: not yet.

        Where nothing is asked for beyond the quorum, that is all.
        """
        return self._moment(self.journals or self.quorum, times)

    def _moment(self, name: str, times: Mapping[str, int]) -> int | None:
        # A group stands below its members, so one pass is enough, however they are nested.
        found = dict(times)
        for each, group in self.groups.items():
            reached = sorted(found[member] for member in group.members if member in found)
            if len(reached) >= group.needed:
                found[each] = reached[group.needed - 1]
        return found.get(name)


def parse(text: str, name: str) -> Policy:
    """Read a policy; raise BadInput with the line that is wrong."""
    policy = Policy()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            _read(policy, words)
        except (NoteBroken, IndexError, *UNREADABLE) as error:
            raise BadInput(f"{name}, line {number}: {error}", _HINT) from error
    if not policy.quorum:
        raise BadInput(f"{name} has no quorum", "add: quorum NAME, a cosigner's or a group's")
    if not policy.provisioning:
        raise BadInput(f"{name} names no provisioning key", "add: provisioning KEY, the employer's")
    return policy


def _read(policy: Policy, words: list[str]) -> None:
    known = {*policy.cosigners, *policy.groups}
    match words:
        case ["witness", name, key, *_] if len(words) <= 4:
            _fresh(name, known)
            policy.cosigners[name] = _key(key, notes.COSIGNATURE_V1)
        case ["until", name, time]:
            if name not in policy.cosigners or name in policy.until:
                raise ValueError(f"once, a cosigner's name above it: {name}")
            policy.until[name] = int(parse_rfc3339(time).timestamp())
        case ["group", name, needed, *members] if members:
            _fresh(name, known)
            unknown = [member for member in members if member not in known]
            if unknown or len(set(members)) != len(members):
                raise ValueError(f"a group of what is not known, or twice: {' '.join(members)}")
            policy.groups[name] = Group(_needed(needed, len(members)), tuple(members))
        case ["quorum", name]:
            if policy.quorum or name not in known:
                raise ValueError(f"one quorum, a cosigner's or a group's name above it: {name}")
            policy.quorum = name
        case ["journals", name]:
            if policy.journals or name not in known:
                raise ValueError(f"once, a cosigner's or a group's name above it: {name}")
            policy.journals = name
        case ["provisioning", key]:
            policy.provisioning.append(_key(key, notes.ED25519))
        case ["tsa", certificate]:
            der = b64decode(certificate, validate=True)
            policy.tsa.append(load_der_x509_certificate(der))
        case ["log", *_]:
            raise ValueError("logs are named by bindings here, not by the policy")
        case _:
            raise ValueError("not a line of a policy")


def _fresh(name: str, known: set[str]) -> None:
    if name in known or name == "none":
        raise ValueError(f"the name {name} is taken")


def _needed(text: str, count: int) -> int:
    needed = {"any": 1, "all": count}.get(text) or int(text)
    if not 1 <= needed <= count:
        raise ValueError(f"{text} of {count} members")
    return needed


def _key(text: str, kind: int) -> VerifierKey:
    key = VerifierKey.parse(text)
    if key.kind != kind:
        raise ValueError("a key of another kind than this line is for")
    return key
