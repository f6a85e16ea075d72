"""What each request to the enrolment server is answered; the registry is changed through its API.

docs/protocol/enrolment.md. A refusal changes nothing. An answer that was lost is given again: the
same keys by the same code are the same terminal.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from ciao import enrolment as wire
from ciao import names
from ciao.enrolment import Challenge, Enrol, EnrolmentBroken, Reason, Refused, Renew, Renewed
from ciao.keys import RandomBytes
from ciao.notes import VerifierKey
from gateway.enrolment import challenges
from gateway.enrolment.limits import Failures
from provisioning import ca
from provisioning.registry import certificates, enrolling
from provisioning.registry.enrolling import Code, Enrolment
from provisioning.registry.registry import Registry

# A certificate that is younger than this is given again: its answer was lost.
AGAIN = timedelta(days=1)

Answer = tuple[int, bytes]
# 400: not a request of ours; 403: refused; 404: no such path; 429: wait.
_STATUS: dict[Reason, int] = {"malformed": 400, "too_many": 429}


@dataclass(frozen=True, slots=True)
class Place:
    """What a terminal is told of this operator."""

    domain: str
    broker_host: str
    broker_port: int


@dataclass(frozen=True, slots=True)
class Given:
    """What the service is given of keys, clocks and randomness; `up_s` only goes on.

    `last_note` returns the last note that we cosigned for a terminal, or None; `revoked` the
    root's list of revoked certificates (PEM), b"" where there is none.
    """

    authority_pem: bytes
    issuer: ca.Identity
    challenge_key: bytes
    now: Callable[[], datetime]
    up_s: Callable[[], float]
    random_bytes: RandomBytes
    last_note: Callable[[str], str | None]
    revoked: Callable[[], bytes] = lambda: b""


class _Refusal(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Service:
    """Answers requests; `registry` is opened for each, since each has a thread of its own."""

    def __init__(self, place: Place, given: Given, registry: Callable[[], Registry]) -> None:
        self._place = place
        self._given = given
        self._registry = registry
        self._failures = Failures()

    def answer(self, method: str, path: str, body: bytes, address: str) -> Answer:
        """Answer one request: its status and its body; raise BadInput where the registry fails."""
        if (method, path) == ("GET", wire.AUTHORITY_PATH):
            return 200, self._given.authority_pem
        if (method, path) == ("GET", wire.REVOKED_PATH):
            return 200, self._given.revoked()
        if (method, path) == ("GET", wire.CHALLENGE_PATH):
            return 200, wire.encode(self._challenge())
        if (method, path) not in (("POST", wire.ENROL_PATH), ("POST", wire.RENEW_PATH)):
            return 404, b""
        if self._failures.too_many(address, self._given.up_s()):
            return _refused("too_many")
        try:
            with self._registry() as registry:
                if path == wire.ENROL_PATH:
                    return 200, wire.encode(self._enrol(registry, wire.decode(Enrol, body)))
                return 200, wire.encode(self._renew(registry, wire.decode(Renew, body)))
        except EnrolmentBroken:
            reason: Reason = "malformed"
        except _Refusal as refusal:
            reason = refusal.reason
        self._failures.failed(address, self._given.up_s())
        return _refused(reason)

    def _challenge(self) -> Challenge:
        given = self._given
        now_s = int(given.now().timestamp())
        nonce = given.random_bytes(challenges.NONCE_SIZE)
        return Challenge(challenges.make(given.challenge_key, nonce, now_s), now_s)

    def _enrol(self, registry: Registry, asked: Enrol) -> wire.Welcome:
        key = wire.requested_key(asked.csr)
        tls = wire.key_digest(key)
        text = wire.enrol_text(asked.bearer, asked.enrolled, asked.seal, tls)
        if not wire.signed(b64decode(asked.enrolled), text, asked.signature):
            raise _Refusal("signature")
        code = enrolling.code(registry, asked.bearer)
        if code is None or not code.is_newest:
            raise _Refusal("code_unknown")
        came = Enrolment(code.row, code.terminal, asked.enrolled, asked.seal, tls, asked.proof)
        name = names.enrolled_key_name(self._place.domain, code.terminal)
        enrolled = VerifierKey(name, b64decode(asked.enrolled))
        certificate = self._used(registry, code, came, enrolled) or self._take(
            registry, code, came, enrolled, key
        )
        return self._welcome(registry, code, certificate)

    def _used(
        self, registry: Registry, code: Code, came: Enrolment, enrolled: VerifierKey
    ) -> x509.Certificate | None:
        """Return what these very keys were given by this code before, None where it is unused."""
        before = enrolling.enrolment(registry, code.row)
        if before is None:
            if self._now() >= code.expires_at:
                raise _Refusal("code_expired")
            return None
        known = registry.terminal(code.terminal)
        if before != came or known is None or known.enrolled != enrolled:
            raise _Refusal("code_used")
        if known.is_revoked(self._now()):
            raise _Refusal("revoked")
        return certificates.newest(registry, code.terminal, enrolled)

    def _take(
        self,
        registry: Registry,
        code: Code,
        came: Enrolment,
        enrolled: VerifierKey,
        key: EllipticCurvePublicKey,
    ) -> x509.Certificate:
        """Use the code up: keys, certificate and code in one change."""
        certificate = self._issue(code.terminal, key)
        with registry.store.change(f"enrolled {code.terminal}", self._now()) as change:
            if enrolling.enrolment(registry, code.row) is not None:
                raise _Refusal("code_used")
            employer, random_bytes = code.plan.employer, self._given.random_bytes
            enrolling.enrol(registry, change, came, enrolled, employer, random_bytes)
            certificates.record(change, code.terminal, enrolled, certificate)
        return certificate

    def _welcome(
        self, registry: Registry, code: Code, certificate: x509.Certificate
    ) -> wire.Welcome:
        plan, place = code.plan, self._place
        employer = registry.employer(plan.employer)
        assert employer is not None
        return wire.Welcome(
            terminal=code.terminal,
            domain=place.domain,
            provisioning_key=str(employer.provisioning_key),
            proof=plan.proof,
            certificate=self._chain(certificate),
            broker_host=place.broker_host,
            broker_port=place.broker_port,
            readers=plan.readers,
            time_zone=plan.terms.time_zone,
            language=plan.terms.languages[0],
            predecessor=self._given.last_note(code.terminal) if plan.replaces else None,
        )

    def _renew(self, registry: Registry, asked: Renew) -> Renewed:
        key = wire.requested_key(asked.csr)
        known = registry.terminal(asked.terminal)
        if known is None:
            raise _Refusal("unknown_terminal")
        if not challenges.holds(
            self._given.challenge_key, asked.challenge, int(self._now().timestamp())
        ):
            raise _Refusal("challenge")
        text = wire.renew_text(asked.terminal, asked.challenge, wire.key_digest(key))
        if not wire.signed(known.enrolled.public, text, asked.signature):
            raise _Refusal("signature")
        if known.is_revoked(self._now()):
            raise _Refusal("revoked")
        held = certificates.newest(registry, known.id, known.enrolled)
        if held is not None and self._is_fresh(held, key):
            return Renewed(self._chain(held))
        certificate = self._issue(known.id, key)
        with registry.store.change(f"renewed {known.id}", self._now()) as change:
            certificates.record(change, known.id, known.enrolled, certificate)
        return Renewed(self._chain(certificate))

    def _is_fresh(self, held: x509.Certificate, key: EllipticCurvePublicKey) -> bool:
        age = self._now() - (held.not_valid_before_utc + ca.BACKDATED)
        return held.public_key() == key and age < AGAIN

    def _issue(self, terminal: str, key: EllipticCurvePublicKey) -> x509.Certificate:
        given = self._given
        return ca.issue_terminal(
            given.issuer, terminal, key, now=given.now(), random_bytes=given.random_bytes
        )

    def _chain(self, certificate: x509.Certificate) -> str:
        pem = certificate.public_bytes(Encoding.PEM) + self._given.issuer.certificate_pem
        return pem.decode()

    def _now(self) -> datetime:
        now = self._given.now().astimezone(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _refused(reason: Reason) -> Answer:
    return _STATUS.get(reason, 403), wire.encode(Refused(reason))
