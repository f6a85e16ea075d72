"""What a terminal writes that its owner made lie, each with the code of what must be said.

The gateway cosigned it as it was shown: it can't know better. Whoever checks can.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from ciao import binding, canonical
from tests.evidence.making import SECOND_BINDING, Twin, ending

Life = Callable[[Twin], None]


def _back_dated(twin: Twin) -> None:
    twin.tap("in", at=twin.now - timedelta(minutes=30))
    twin.receipt()


def _back_dated_by_the_clock(twin: Twin) -> None:
    twin.off = -timedelta(seconds=90)
    twin.tap("in")
    twin.receipt()
    twin.off = timedelta()


def _back_dated_heartbeat(twin: Twin) -> None:
    twin.off = -timedelta(minutes=5)
    twin.beat()
    twin.off = timedelta()
    twin.receipt()


def _post_dated(twin: Twin) -> None:
    twin.off = timedelta(minutes=30)
    twin.tap("in")
    twin.off = timedelta()
    twin.receipt()


def _names_nothing_known(twin: Twin) -> None:
    twin.beat(note="0" * 64)
    twin.receipt()


def _names_an_older(twin: Twin) -> None:
    twin.beat(note=hashlib.sha256(twin.log.kept[0].note.encode()).hexdigest())
    twin.receipt()


def _unknown_binding_in_force(twin: Twin) -> None:
    twin.write("binding", serial=1, binding="0" * 64)
    twin.receipt()


def _other_declaration(twin: Twin) -> None:
    twin.tap("in", declaration="1Y1000003EQCZ")
    twin.receipt()


def _unknown_binding(twin: Twin) -> None:
    twin.tap("in", binding="0" * 64)
    twin.receipt()


def _early_binding(twin: Twin) -> None:
    twin.bind(binding.digest(SECOND_BINDING), "1Y1000003EQCZ")
    twin.tap("in")
    twin.receipt()


def _binding_switched_silently(twin: Twin) -> None:
    twin.wait(3600)
    twin.beat()
    twin.receipt()
    twin.tap("in", binding=binding.digest(SECOND_BINDING), declaration="1Y1000003EQCZ")
    twin.receipt()


def _begins_anew(twin: Twin) -> None:
    twin.logs, before = [], twin.logs
    twin.begin("new")
    twin.logs = [*before, twin.log]
    twin.minutes(2)


def _rolled_back_in_silence(twin: Twin) -> None:
    """An old image of the card, said to be the planned end of the log; the rest is left out."""
    whole = twin.log
    older = whole.kept[-2].size
    said = ending(whole, older) | {"note": hashlib.sha256(whole.kept[-2].note.encode()).hexdigest()}
    twin.begin("yearly", said)
    twin.minutes(2)


def _wrong_root(twin: Twin) -> None:
    twin.begin("yearly", ending(twin.log) | {"root": "00" * 32})
    twin.minutes(2)


def _tail_not_handed_over(twin: Twin) -> None:
    twin.tap("in")
    twin.tap("out")
    twin.begin("damaged")
    twin.minutes(2)


def _carried_edited(twin: Twin) -> None:
    twin.tap("in")
    twin.receipt(heard=False)
    before = twin.log
    twin.begin("damaged")
    twin.carry(before, before.size - 1)
    said = canonical.decode(twin.log.leaves.pop(), 4096) | {"direction": "out"}
    _relogged(twin, canonical.encode(said))
    twin.minutes(2)


def _carried_payload_edited_after_a_rollback(twin: Twin) -> None:
    twin.tap("in")
    twin.receipt(heard=False)
    before = twin.log
    twin.begin("rolled_back")
    twin.carry(before, before.size - 1)
    said = canonical.decode(twin.log.leaves.pop(), 4096) | {"direction": "out"}
    _relogged(twin, canonical.encode(said))
    twin.minutes(2)


def _relogged(twin: Twin, leaf: bytes) -> None:
    """Write the newest entry of a log again, before anybody saw it."""
    log = type(twin.log)(twin.log.signer)
    for one in (*twin.log.leaves, leaf):
        log.append(one)
    twin.logs[-1] = twin.log = log


def _no_head(twin: Twin) -> None:
    twin.begin("yearly")
    log = type(twin.log)(twin.log.signer)
    twin.logs[-1] = twin.log = log
    twin.write("boot", clean=True)
    twin.receipt()
    twin.minutes(2)


BY_A_LYING_TERMINAL: dict[str, tuple[Life, str]] = {
    "a stamp is back-dated": (_back_dated, "too_early"),
    "a stamp is back-dated by a little": (_back_dated_by_the_clock, "too_early"),
    "a heartbeat is back-dated": (_back_dated_heartbeat, "too_early"),
    "a stamp is post-dated": (_post_dated, "too_late"),
    "a heartbeat names a checkpoint that never was": (_names_nothing_known, "note_missing"),
    "a heartbeat names an older checkpoint again": (_names_an_older, "note_missing"),
    "a binding that nobody signed comes into force": (
        _unknown_binding_in_force,
        "binding_missing",
    ),
    "a stamp names another declaration": (_other_declaration, "binding_other"),
    "a stamp names a binding that nobody signed": (_unknown_binding, "binding_missing"),
    "a stamp names a binding that has not begun": (_early_binding, "binding_not_in_force"),
    "a stamp names a binding not in force": (_binding_switched_silently, "binding_not_in_force"),
    "a log begins as if there had been none": (_begins_anew, "begins_anew"),
    "a card is rolled back in silence": (_rolled_back_in_silence, "predecessor_root"),
    "a log says another root of the one before": (_wrong_root, "predecessor_root"),
    "a tail is not handed over": (_tail_not_handed_over, "handed_over"),
    "a stamp is edited while it is handed over": (_carried_edited, "carried"),
    "a stamp is edited after a roll-back": (_carried_payload_edited_after_a_rollback, "carried"),
    "a log begins with something else": (_no_head, "leaf"),
}
