"""What the ONSS did is in the gateway's own journal, and nothing that it did not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ciao.causes import classify
from tests.sim.clocks import BEGIN
from tests.sim.evidence import Evidence, Outside, Watched

# The cause of each way to be down; a call that found it so may have said more.
CAUSES = {
    "tcp": "onss_unavailable",
    "tls": "onss_unavailable",
    "http": "onss_unavailable",
    "token": "onss_auth_rejected",
}
NAMED_MS = 30_000
# The wall clock of a server may be a few seconds off; a round of probes takes a moment.
SLACK_MS = 16_000
# From the failure to its entry.
NOTICED_MS = 15_000
_ONSS = {"onss_unavailable", "onss_auth_rejected", "idp_unavailable"}


def _entries(watch: Watched) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read the journal's entries with their times, in ms since the run began."""
    for segment in watch.segments:
        for leaf in segment.leaves:
            said = json.loads(leaf)
            yield _ms(said["at"]), said


def _ms(text: str) -> int:
    return int((datetime.fromisoformat(text) - BEGIN).total_seconds() * 1000)


def an_outage_of_the_onss_is_named(evidence: Evidence) -> Iterator[str]:
    """While a gateway ran for 30 s and its disk took what it wrote, the cause is there."""
    watch = evidence.watch
    for how, down_ms, up_ms in watch.down:
        for began_ms, ended_ms in watch.lives:
            from_ms = max(down_ms, began_ms + SLACK_MS)
            until_ms = from_ms + NAMED_MS
            full = any(a < until_ms and b > from_ms - SLACK_MS for a, b in watch.full)
            if until_ms > min(up_ms, ended_ms) or full:
                continue
            if not any(from_ms <= at < until_ms - NOTICED_MS for at in watch.failed_ms):
                # A token that is good still need not be asked for.
                continue
            if how == "tls" and _clock_was_off(evidence.outside, from_ms, until_ms):
                # A certificate that seems out of date is the clock's, as far as it can tell.
                continue
            causes = _causes(watch, down_ms - SLACK_MS, until_ms + SLACK_MS)
            # Without a session with the broker, that comes first.
            if CAUSES[how] not in causes and "broker_down" not in causes:
                yield f"the ONSS was down ({how}) at {from_ms} ms; the journal says {causes}"


def _clock_was_off(outside: Outside, from_ms: int, until_ms: int) -> bool:
    """Say whether the gateway knew in a time that it can't trust its clock."""
    return any(
        wrong.host == outside.gateway
        and wrong.cause == "clock_untrusted"
        and wrong.from_ms < until_ms
        and wrong.until_ms > from_ms - SLACK_MS
        for wrong in outside.wrong
    )


def _causes(watch: Watched, from_ms: int, until_ms: int) -> set[str]:
    """Return what the journal blames in a time; an outage that had not ended goes on."""
    named: set[str] = set()
    in_force: dict[str, str] = {}
    for at_ms, said in _entries(watch):
        if at_ms > until_ms:
            continue
        if said["kind"] in ("outage_begin", "outage_update"):
            if at_ms < from_ms:
                in_force[said["outage"]] = said["cause"]
            else:
                named.add(said["cause"])
        elif said["kind"] == "outage_end" and at_ms < from_ms:
            in_force.pop(said["outage"], None)
    return named | set(in_force.values())


def no_outage_of_the_onss_is_invented(evidence: Evidence) -> Iterator[str]:
    """Whoever is blamed failed somebody just before; and the probes say what the cause says."""
    watch = evidence.watch
    for at_ms, said in _entries(watch):
        if said["kind"] != "outage_begin":
            continue
        if classify(said["probes"]).get(said["affected"]) != said["cause"]:
            yield f"{said['cause']} does not follow from {said['probes']}"
        since_ms = _ms(said.get("since", said["at"]))
        blamed = said["cause"] in _ONSS
        if blamed and not any(
            since_ms - SLACK_MS <= failed <= at_ms + SLACK_MS for failed in watch.failed_ms
        ):
            yield f"{said['cause']} at {at_ms} ms, and the ONSS failed nobody then"


def the_gateways_journal_is_one_log(evidence: Evidence) -> Iterator[str]:
    """Its segments count from 0 without a gap; notes that it names were really cosigned."""
    named = set(_digests(evidence))
    for segment in evidence.watch.segments:
        said = [json.loads(leaf) for leaf in segment.leaves]
        if [leaf["seq"] for leaf in said] != list(range(len(said))):
            yield f"{segment.origin} does not count"
        for leaf in said:
            for terminal, digest in leaf.get("notes", {}).items():
                if digest not in named:
                    yield f"{segment.origin} names a note of {terminal} that nobody got"


def _digests(evidence: Evidence) -> Iterator[str]:
    for note in evidence.truth.receipts:
        yield hashlib.sha256(note.encode()).hexdigest()
