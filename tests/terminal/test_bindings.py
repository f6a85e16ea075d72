"""Which binding is in force, which roster greets: only what is signed, newest, and for us."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ciao import binding, entries, names, roster, wire
from ciao.link import Message
from ciao.names import provisioning_key_name
from ciao.reading import ClockQuality
from tests.terminal.world import (
    ANNA,
    BRAM,
    CARL,
    DOMAIN,
    IN,
    PROVISIONING,
    TERMINAL,
    World,
    a_binding,
    binding_message,
    bound_world,
    roster_message,
    signer,
)

STRANGER = signer(provisioning_key_name(DOMAIN, "shiny"), b"stranger")
SUCCESSOR = signer(provisioning_key_name(DOMAIN, "shiny"), b"successor")
UNTRUSTED = ClockQuality("rtc", synced=False)


def raw(payload: bytes, channel: str = "binding") -> Message:
    return Message(names.topic(TERMINAL, channel), payload)


def told(world: World) -> dict[str, int]:
    world.wait(60_200)
    return [e for e in world.entries() if isinstance(e, entries.Heartbeat)][-1].refused


def in_force(world: World) -> int:
    assert world.held.bound is not None
    return world.held.bound.binding.serial


@pytest.fixture
def world(tmp_path: Path) -> World:
    return bound_world(tmp_path / "state")


def test_a_binding_that_comes_into_force_is_journalled(tmp_path: Path) -> None:
    world = World(tmp_path / "state")
    world.bind()
    (entry,) = [e for e in world.entries() if isinstance(e, entries.BindingChanged)]
    assert world.held.bound is not None
    assert (entry.serial, entry.binding) == (1000, world.held.bound.sha256)
    assert world.shown[-1].headline == "IN / OUT"
    world.bind()
    world.restart()
    assert world.kinds().count("binding") == 1, "and that only once"


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("binding_older", binding_message(a_binding(serial=999))),
        ("binding_older", binding_message(a_binding(serial=1000, languages=["nl"]))),
        ("binding_foreign", binding_message(a_binding(serial=1001, terminal="hall-4"))),
        ("binding_signature", binding_message(a_binding(serial=1001), by=STRANGER)),
        (
            "binding_signature",
            raw(binding_message(a_binding(serial=1001)).payload.replace(b"Hall 3", b"Hall 4")),
        ),
        ("binding_malformed", raw(b"{}")),
        ("binding_malformed", raw(b"\xff" * 100)),
        ("binding_malformed", raw(b" " * 200_000)),
        ("binding_malformed", binding_message(a_binding(serial=1001, time_zone="Mars/Olympus"))),
    ],
)
def test_a_binding_that_is_refused_is_counted_and_changes_nothing(
    world: World, reason: str, message: Message
) -> None:
    before = world.held.bound
    world.do(message)
    assert world.held.bound == before
    assert told(world) == {reason: 1}
    world.restart()
    assert world.held.bound == before


def test_the_next_binding_waits_for_its_moment(world: World) -> None:
    coming = a_binding(serial=1001, effective_from="2026-03-02T06:10:00.000+01:00")
    world.do(binding_message(a_binding(), coming))
    assert in_force(world) == 1000
    world.wait(7 * 60_000)
    assert in_force(world) == 1000
    world.wait(61_000)
    assert in_force(world) == 1001
    assert world.kinds().count("binding") == 2


def test_no_binding_is_switched_on_an_untrusted_clock(world: World) -> None:
    world.clock.step(world.clock.at + timedelta(days=400), UNTRUSTED)
    coming = a_binding(serial=1001, effective_from="2026-03-02T06:10:00.000+01:00")
    world.do(binding_message(a_binding(), coming))
    world.wait(1_000)
    assert in_force(world) == 1000
    world.clock.step(world.clock.at, ClockQuality("ntp", synced=True, error_ms=5))
    world.wait(1_000)
    assert in_force(world) == 1001


def test_nor_by_a_restart_on_an_untrusted_clock(world: World) -> None:
    """Also where the message no longer holds the bundle in force."""
    world.clock.step(world.clock.at, UNTRUSTED)
    coming = a_binding(serial=1001, effective_from="2026-03-02T06:00:00.000+01:00")
    later = a_binding(serial=1002, effective_from="2026-03-02T09:00:00.000+01:00")
    world.do(binding_message(coming, later))
    world.restart()
    world.wait(1_000)
    assert in_force(world) == 1000
    assert world.stamp(ANNA, IN).stamp is not None


def test_the_first_binding_serves_on_an_untrusted_clock(tmp_path: Path) -> None:
    """A tap without a declaration could never be registered."""
    world = World(tmp_path / "state")
    world.clock.step(world.clock.at, UNTRUSTED)
    world.bind()
    assert in_force(world) == 1000
    world.stamp(ANNA, IN)
    (tap,) = [e for e in world.entries() if isinstance(e, entries.Tap)]
    assert tap.clock == entries.Clock("rtc", synced=False)


def test_a_succession_of_provisioning_keys_is_followed(world: World) -> None:
    signed = binding.sign(a_binding(serial=1001), SUCCESSOR)
    link = binding.succeed(PROVISIONING, SUCCESSOR.verifier())
    world.do(raw(wire.encode(binding.Bindings([signed], [link]))))
    assert in_force(world) == 1001
    world.do(roster_message({CARL: roster.Holder("C. C.")}, serial=2, by=SUCCESSOR))
    world.restart()
    assert in_force(world) == 1001
    assert world.stamp(CARL, IN).lines[0] == "C. C."


def test_a_roster_greets_in_the_badges_language(world: World) -> None:
    view = world.stamp(BRAM, IN)
    assert (view.language, view.lines) == ("nl", ("B. B.", "Genoteerd. Hier bewaard."))


def test_a_badge_that_is_not_known_is_stamped_and_told_so(world: World) -> None:
    view = world.stamp(CARL, IN)
    assert view.stamp is not None
    assert view.lines[1:] == ("This badge is not known yet.", "Tell your employer.")


def test_a_revoked_badge_is_stamped_and_told_so(world: World) -> None:
    world.do(roster_message({ANNA: roster.Holder("A. A.", "en", revoked=True)}, serial=2))
    view = world.stamp(ANNA, IN)
    assert view.stamp is not None
    assert view.lines[2:] == ("This badge was withdrawn.", "Tell your employer.")


def test_a_language_without_texts_gives_way_to_the_sites(tmp_path: Path) -> None:
    world = bound_world(tmp_path / "state", languages=["pl", "fr", "nl"])
    assert world.shown[-1].language == "fr"
    world.do(roster_message({ANNA: roster.Holder("A. A.", "tr")}, serial=2))
    assert world.stamp(ANNA, IN).language == "fr"


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("binding_older", roster_message({}, serial=0)),
        ("binding_signature", roster_message({}, serial=2, by=STRANGER)),
        ("binding_malformed", raw(b"", "roster")),
        ("binding_malformed", raw(bytes(range(256)) * 4, "roster")),
    ],
)
def test_a_roster_that_is_refused_is_counted_and_changes_nothing(
    world: World, reason: str, message: Message
) -> None:
    world.do(message)
    assert told(world) == {reason: 1}
    assert world.stamp(ANNA, IN).lines[0] == "A. A."


def ends(day: str) -> binding.Declaration:
    return binding.Declaration("1Y1000NF9KCQZ", None, day)


@pytest.mark.parametrize(
    ("last_day", "said"),
    [
        ("2026-04-02", ()),
        ("2026-04-01", ("The works declaration ends in 30 days.", "Tell your employer.")),
        ("2026-03-03", ("The works declaration ends tomorrow.", "Tell your employer.")),
        ("2026-03-02", ("The works declaration ends today.", "Tell your employer.")),
        ("2026-03-01", ("The works declaration has ended.", "Tell your employer.")),
    ],
)
def test_a_declaration_that_ends_is_told_of_while_nobody_is_there(
    world: World, last_day: str, said: tuple[str, ...]
) -> None:
    world.do(binding_message(a_binding(serial=1001, declaration=ends(last_day), languages=["en"])))
    world.wait(1_000)
    assert world.shown[-1].lines[1:] == said
    stamped = world.stamp(ANNA, IN)
    assert stamped.stamp is not None, "it is stamped all the same"
    assert ("The works declaration has ended." in stamped.lines) == (last_day < "2026-03-02")


def test_a_clock_that_can_not_be_believed_tells_of_no_end(world: World) -> None:
    world.do(binding_message(a_binding(serial=1001, declaration=ends("2026-03-01"))))
    world.clock.step(world.clock.at, UNTRUSTED)
    world.wait(1_000)
    assert len(world.shown[-1].lines) == 1


def test_another_declaration_holds_from_its_moment_for_the_taps_themselves(world: World) -> None:
    """The whole switch: both bundles are here, each tap names the one in force when it was made."""
    following = binding.Declaration("1Y1000003EQCZ")
    moment = "2026-03-02T06:10:00.000+01:00"
    world.do(
        binding_message(
            a_binding(), a_binding(serial=1001, effective_from=moment, declaration=following)
        )
    )
    world.stamp(ANNA, IN)
    world.wait(11 * 60_000)
    world.stamp(BRAM, IN)
    taps = [e for e in world.entries() if isinstance(e, entries.Tap)]
    assert [(tap.declaration, tap.at < moment) for tap in taps] == [
        (a_binding().declaration.number, True),
        ("1Y1000003EQCZ", False),
    ]
    assert len({tap.binding for tap in taps}) == 2
    # and what is older, or somebody else's, does not bring the first one back
    world.do(binding_message(a_binding()))
    world.do(binding_message(a_binding(serial=1002, terminal="hall-4")))
    assert told(world) == {"binding_older": 1, "binding_foreign": 1}
    assert in_force(world) == 1001
