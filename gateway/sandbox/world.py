"""Edge: what the sandbox's routes work on, and how a fault comes between a call and its answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from flask import Response
from msgspec import Meta

from gateway.sandbox import problems
from gateway.sandbox.faults import Fault, Faults
from gateway.sandbox.oauth import Issuer
from gateway.sandbox.store import Store

CAPTIVE_PAGE = "<!doctype html><title>Welcome</title><p>Please accept our terms to go online."


class Dropped(ConnectionAbortedError):
    """Closes the connection without an answer.

    waitress closes a connection whose application raises an OSError, and says nothing on it
    while `log_socket_errors` is off; Flask lets it through with PROPAGATE_EXCEPTIONS.
    """


class Refusals(msgspec.Struct, forbid_unknown_fields=True):
    """What is refused as `notCreated`: declarations that are not active, unknown SSINs."""

    declarations: set[str] = set()
    ssins: set[str] = set()


class Validities(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of a registration after it was created: when, and for whom it isn't just valid.

    `after_s`: how long it stays pending; None for ever. `remarks`: of some SSINs, what is said.
    """

    after_s: Annotated[float, Meta(ge=0, le=31_536_000)] | None = None
    remarks: dict[str, list[dict[str, str]]] = {}

    def of(self, ssin: str, age_s: float) -> tuple[str, list[dict[str, str]]]:
        """Return the validity and the remarks of a registration that is so old."""
        if self.after_s is None or age_s < self.after_s:
            return "pending", []
        return "valid", self.remarks.get(ssin, [])


@dataclass
class Sandbox:
    """Everything the routes work on. `token_url` is known once the port is."""

    store: Store
    issuer: Issuer
    faults: Faults
    refusals: Refusals
    search_delay_s: float
    latency_s: float
    now: Callable[[], float]
    token_url: str = ""
    validities: Validities = field(default_factory=Validities)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, on: str, work: Callable[[], Response]) -> Response:
        """Do the work of one call, with the fault that is switched on for it, if any."""
        if self.latency_s:
            time.sleep(self.latency_s)
        fault = self.faults.take(on)
        if fault is None:
            return work()
        worked = work() if fault.works_first else None
        if fault.fault == "slow":
            time.sleep(fault.seconds)
            return worked or work()
        return faulty(fault)


def faulty(fault: Fault) -> Response:
    """Return what a fault answers instead of the truth; raise Dropped to answer nothing."""
    if fault.fault.startswith("drop"):
        raise Dropped("a fault")
    if fault.fault == "malformed":
        return Response('{"items":[{"createdPresenceReg', 200, content_type="application/json")
    if fault.fault == "html":
        return Response(CAPTIVE_PAGE, 200, content_type="text/html")
    if fault.fault == "redirect":
        return Response("", 302, {"Location": "/welcome"})
    return problems.of_status(int(fault.fault), int(fault.seconds))
