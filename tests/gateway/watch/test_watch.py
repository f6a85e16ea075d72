"""What the gateway journals of itself: heartbeats, notes it names, the ONSS's side, its stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from ciao import entries
from ciao.causes import classify
from ciao.certificate import certified_key, is_certified
from ciao.entries import Heartbeat, OutageBegin, OutageEnd, OutageUpdate
from ciao.journal import StoreFailed
from ciao.journal.archive import archives
from ciao.journal.chain import Journal
from ciao.journal.store import note_digest
from ciao.notes import COSIGNATURE_V1, Signer, cosignature_time, parse, verify
from gateway.onss.answers import Outcome, Silence
from gateway.watch.events import Looked
from gateway.watch.watch import Known
from tests.gateway.twins import COSIGNER, signer
from tests.gateway.watch.world import ANCHORS, WELL, WatchWorld, answer, silence


@pytest.fixture
def world(tmp_path: Path) -> WatchWorld:
    made = WatchWorld(tmp_path / "journal", sites={"hall-3": "hall"})
    made.connect()
    return made


def test_each_minute_a_heartbeat_says_what_works(world: WatchWorld) -> None:
    world.wait(600)
    beats = world.said(Heartbeat)
    assert 9 <= len(beats) <= 10
    assert all(beat.works == {"broker": True, "disk": True, "onss": True} for beat in beats)
    assert not world.said(OutageBegin)


def test_heartbeats_name_each_terminals_newest_note_once(world: WatchWorld) -> None:
    world.wait(130, ["hall-3", "door-1"])
    newest = {name: world.digest(name) for name in ("hall-3", "door-1")}
    world.wait(300)
    beats = world.said(Heartbeat)
    assert beats[1].notes.keys() == newest.keys() and beats[2].notes == newest
    assert not any(beat.notes for beat in beats[3:])


def test_a_gateway_that_stops_names_what_it_cosigned_last(world: WatchWorld) -> None:
    world.wait(70, ["hall-3"])
    world.step(effects=[world.receipt("door-1")])
    before = len(world.said(Heartbeat))
    world.restart(politely=True)
    (last,) = world.said(Heartbeat)[before:]
    assert last.notes["door-1"] == world.digest("door-1")
    # What works is known no more, and said to be neither.
    assert last.works == {}
    world.restart(politely=True)
    assert len(world.said(Heartbeat)) == before + 1


def test_with_many_terminals_those_named_longest_ago_come_first(world: WatchWorld) -> None:
    names = [f"door-{number}" for number in range(60)]
    world.wait(240, names)
    beats = world.said(Heartbeat)
    assert [len(beat.notes) for beat in beats[:3]] == [24, 24, 24]
    named = [name for beat in beats[:3] for name in beat.notes]
    assert set(named) == set(names)


def test_the_journal_is_cosigned_by_the_gateway_and_certified_by_the_same_key(
    world: WatchWorld,
) -> None:
    world.wait(70)
    journal = world.watch.diary._journal
    assert journal.settled == journal.size
    key = certified_key(journal.current.certificate, COSIGNER.verifier())
    note = parse(journal.newest_note() or "")
    verify(note, key)
    assert cosignature_time(note, COSIGNER.verifier(COSIGNATURE_V1)) > 0
    assert world.said(Heartbeat)[-1].note is None
    world.wait(60)
    assert world.said(Heartbeat)[-1].note is not None


@pytest.mark.parametrize(
    ("answered", "cause"),
    [
        (answer(503), "onss_unavailable"),
        (silence(Silence.REFUSED), "onss_unavailable"),
        (silence(Silence.TIMEOUT), "onss_unavailable"),
        (silence(Silence.TLS), "onss_unavailable"),
        (silence(Silence.TOKEN_DENIED), "onss_auth_rejected"),
        (answer(403), "onss_auth_rejected"),
        (silence(Silence.TOKEN_UNREACHABLE), "idp_unavailable"),
    ],
)
def test_a_call_that_fails_is_named_within_thirty_seconds(
    world: WatchWorld, answered: Outcome, cause: str
) -> None:
    world.wait(20)
    for _ in range(5):
        world.called(answered)
        world.wait(5)
    assert world.causes() == [cause]
    world.called(answer(200))
    world.wait(30)
    (end,) = world.said(OutageEnd)
    assert end.cause == cause


@pytest.mark.parametrize(
    ("failing", "cause"),
    [
        ({"onss-dns": "failed"}, "onss_unavailable"),
        ({"onss-tcp": "timeout"}, "onss_unavailable"),
        ({"onss-tls": "failed"}, "onss_unavailable"),
        ({"onss-http": "error"}, "onss_unavailable"),
        ({"onss-token:shiny": "unreachable"}, "idp_unavailable"),
        ({"anchor-1": "timeout", "onss-tcp": "timeout"}, "unclassified"),
        ({"dns-provider": "timeout", "dns-second": "ok", "onss-dns": "timeout"}, "dns_isp"),
    ],
)
def test_what_nobody_calls_is_found_by_looking(
    world: WatchWorld, failing: dict[str, str], cause: str
) -> None:
    world.wait(20)
    world.around = {**WELL, **ANCHORS, **failing}
    world.wait(30)
    assert world.causes() == [cause]
    world.around = {**WELL, **ANCHORS, **dict.fromkeys(failing, "ok")}
    world.wait(30)
    assert len(world.said(OutageEnd)) == 1


def test_without_two_anchors_nobody_blames_the_onss(world: WatchWorld) -> None:
    world.around = {**WELL, "anchor-1": "ok", "anchor-2": "timeout", "onss-tcp": "timeout"}
    world.wait(60)
    assert world.causes() == ["unclassified"]


def test_a_round_that_is_well_does_not_take_back_what_calls_meet(world: WatchWorld) -> None:
    world.wait(20)
    for _ in range(6):
        world.called(answer(503))
        world.wait(20)
    assert world.causes() == ["onss_unavailable"]
    assert not world.said(OutageEnd)


def test_one_bad_answer_among_good_ones_is_no_outage(world: WatchWorld) -> None:
    world.called(answer(503))
    world.wait(2)
    world.called(answer(200))
    world.wait(60)
    assert world.causes() == []


def test_a_refused_stamp_says_nothing_against_the_service(world: WatchWorld) -> None:
    for status in (400, 404, 429):
        world.called(answer(status))
        world.wait(20)
    assert world.causes() == []


def test_a_refused_credential_is_its_employers_and_nobody_elses(world: WatchWorld) -> None:
    world.wait(20)
    world.around = {**WELL, **ANCHORS, "onss-token:other": "denied"}
    world.wait(90)
    (begun,) = world.said(OutageBegin)
    assert (begun.employer, begun.cause) == ("other", "onss_auth_rejected")
    assert world.said(Heartbeat)[-1].works["onss"]
    world.around = {**WELL, **ANCHORS, "onss-token:other": "ok"}
    world.wait(30)
    (end,) = world.said(OutageEnd)
    assert (end.employer, end.outage) == ("other", begun.outage)


def test_where_nobodys_credential_is_taken_the_onss_does_not_work(world: WatchWorld) -> None:
    world.around = {**WELL, **ANCHORS, "onss-token:shiny": "denied"}
    world.wait(90)
    assert world.said(Heartbeat)[-1].works["onss"] is False


def test_a_refused_credential_is_taken_up_again_after_a_restart(world: WatchWorld) -> None:
    world.around = {**WELL, **ANCHORS, "onss-token:other": "denied"}
    world.wait(40)
    world.restart(away_s=3)
    world.connect()
    world.wait(60)
    told = [e for e in world.every() if getattr(e, "employer", None) == "other"]
    assert [type(e) for e in told] == [OutageBegin, OutageUpdate]
    assert told[0].outage == told[1].outage  # type: ignore[attr-defined]


def test_what_lasts_of_a_credential_is_said_again_so_that_a_start_finds_it(
    world: WatchWorld,
) -> None:
    world.around = {**WELL, **ANCHORS, "onss-token:other": "denied"}
    world.wait(40)
    for _ in range(3 * 12):
        world.clock.advance(30 * 60_000)
        world.wait(2)
    world.restart(away_s=3)
    world.connect()
    world.wait(60)
    assert len([e for e in world.said(OutageBegin) if e.employer == "other"]) == 1


def test_an_employer_who_is_there_no_more_has_no_outage_for_ever(world: WatchWorld) -> None:
    world.around = {**WELL, **ANCHORS, "onss-token:other": "denied"}
    world.wait(40)
    world.around = {**WELL, **ANCHORS}
    world.restart(away_s=3)
    world.connect()
    world.wait(80)
    assert [e.employer for e in world.said(OutageEnd) if e.employer] == ["other"]


def test_a_service_that_cannot_be_reached_is_no_matter_of_a_credential_refused_before(
    world: WatchWorld,
) -> None:
    for _ in range(3):
        world.called(answer(401))
        world.wait(20)
    assert world.causes() == ["onss_auth_rejected"]
    way = {name: word for name, word in WELL.items() if name not in ("onss-http", "onss-tls")}
    world.around = {**way, **ANCHORS, "onss-tls": "failed"}
    world.wait(30)
    assert world.causes() == ["onss_auth_rejected", "onss_unavailable"]
    (update,) = world.said(OutageUpdate)
    assert (update.employer, update.cause) == ("shiny", "onss_unavailable")


def test_a_broker_that_is_gone_is_ours(world: WatchWorld) -> None:
    world.wait(20)
    world.around = {**WELL, **ANCHORS, "broker": "refused"}
    world.disconnect()
    world.wait(25)
    assert world.causes() == ["broker_down"]
    world.connect()
    world.wait(25)
    assert world.said(OutageEnd)[-1].cause == "broker_down"


def test_every_outage_s_cause_follows_from_its_probes(world: WatchWorld) -> None:
    test_a_broker_that_is_gone_is_ours(world)
    world.restart()
    for begun in world.said(OutageBegin):
        assert classify(begun.probes)[begun.affected] == begun.cause


def test_rounds_are_rare_while_all_is_well_and_often_while_it_is_not(world: WatchWorld) -> None:
    looks = []
    for _ in range(120):
        world.clock.advance(1000)
        looks += world.watch.step(world.clock(), [], [])
        world.watch.step(world.clock(), [Looked({**WELL, **ANCHORS})], [])
    assert len(looks) <= 9
    world.around = {**WELL, **ANCHORS, "onss-tcp": "timeout"}
    world.wait(60)
    assert world.causes() == ["onss_unavailable"]


def test_one_good_look_is_no_end(world: WatchWorld) -> None:
    """A service that works for five seconds of ten is out all the time."""
    world.wait(20)
    for _ in range(6):
        world.around = {**WELL, **ANCHORS, "onss-http": "error"}
        world.wait(7 if world.causes() else 25)
        world.around = {**WELL, **ANCHORS}
        world.wait(5)
    assert world.causes() == ["onss_unavailable"] and not world.said(OutageEnd)
    world.wait(25)
    assert len(world.said(OutageEnd)) == 1


@pytest.mark.parametrize("politely", [True, False])
def test_the_time_in_which_the_gateway_was_not_there_is_told_at_its_start(
    world: WatchWorld, politely: bool
) -> None:
    world.wait(70)
    world.restart(politely=politely, away_s=300)
    began = world.now()
    world.connect()
    boot = world.said(entries.Boot)[-1]
    last = world.every()[-3].at
    world.wait(15)
    assert boot.clean is politely
    begin, end = world.said(OutageBegin)[-1], world.said(OutageEnd)[-1]
    assert begin.cause == end.cause == "gateway_down" and begin.outage == end.outage
    assert begin.since == last and end.well_since == began


def test_what_was_out_is_taken_up_again_after_a_restart(world: WatchWorld) -> None:
    world.wait(20)
    world.around = {**WELL, **ANCHORS, "onss-tcp": "refused"}
    world.wait(90)
    world.restart(away_s=3)
    world.connect()
    world.wait(60)
    assert world.causes() == ["onss_unavailable"]


def test_a_cosigner_that_succeeds_another_begins_a_segment_and_forgets_no_outage(
    world: WatchWorld,
) -> None:
    world.wait(20)
    world.around = {**WELL, **ANCHORS, "onss-tcp": "refused"}
    world.wait(90)
    former = world.cosigner
    world.before = (former.verifier(),)
    world.cosigner = Signer(former.name, signer("its successor").private)
    # Twice: the second start finds the outage in the segment before the one that is written.
    for _ in range(2):
        world.restart(away_s=3)
        world.connect()
        world.wait(5)
    begun = world.said(entries.Segment)
    assert [segment.why for segment in begun] == ["new", "replaced"]
    journal = world.watch.diary._journal
    assert is_certified(journal.certificate, journal.log_key, [world.cosigner.verifier()])
    previous = begun[1].previous
    note = [one.note for one in archives(world.folder)[0][0].notes(0, 10_000)][-1]
    assert previous is not None and previous.note == note_digest(note)
    cosignature_time(parse(note), world.cosigner.verifier(COSIGNATURE_V1))
    assert not list(world.folder.glob("*.damaged"))
    world.around = {**WELL, **ANCHORS}
    world.wait(90)
    assert world.causes() == ["onss_unavailable"] and len(world.said(OutageEnd)) == 1


def test_a_step_of_the_clock_is_journalled(world: WatchWorld) -> None:
    world.wait(5)
    world.clock.step(world.clock.at.replace(hour=9))
    world.step()
    (step,) = world.said(entries.ClockStep)
    assert step.after == world.now()


class FullDisk(Journal):
    """A journal whose disk takes nothing while `full`."""

    full = False

    def append(self, entry: entries.Entry, payload: bytes | None = None) -> None:
        if FullDisk.full:
            raise StoreFailed("no room")
        super().append(entry, payload)


def test_a_disk_that_refuses_stops_nothing_and_leaves_no_data(tmp_path: Path) -> None:
    world = WatchWorld(tmp_path, journal=FullDisk)
    world.connect()
    world.wait(130)
    before = len(world.every())
    FullDisk.full = True
    world.around = {**WELL, **ANCHORS, "onss-tcp": "refused"}
    world.wait(120)
    assert not world.watch.diary.works and len(world.every()) == before
    FullDisk.full = False
    world.wait(70)
    assert world.causes() == ["onss_unavailable"]
    (begun,) = world.said(OutageBegin)
    assert begun.since is not None and begun.since < begun.at


def test_a_note_that_the_ledger_kept_before_a_crash_is_named_after_it(world: WatchWorld) -> None:
    world.wait(70)
    # The ledger's commit, and then the crash: the journal never heard of it.
    world.known = [Known("hall-3", world.now(), "0" * 64)]
    world.restart()
    world.connect()
    world.wait(70)
    assert [beat.notes for beat in world.said(Heartbeat)][-1] == {"hall-3": "0" * 64}
