"""Every minute of a period is in one class, and never says more than the journals do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ciao import entries
from ciao.entries import SeqRange
from ciao.responsibility import Class, Grade, Journals, judge
from tests.ciao.journals import (
    BEGIN,
    CUT,
    GATEWAY_ORIGIN,
    GATEWAY_WORKS,
    NEXT_BOOT,
    ORIGIN,
    OTHER_OUTAGE,
    OUTAGE,
    SEEN,
    TERMINAL,
    WORKS,
    Written,
    by_minute,
    cut,
    gateway,
    moment,
    silent,
    told,
    well,
)

WORKED, NO_DATA = Class.WORKED, Class.NO_DATA


def test_heartbeats_each_minute_say_that_it_worked() -> None:
    terminal = Written()
    terminal.beats(-1, 21)
    found = told(terminal, well())
    (register,), (submit,) = found.register, found.submit
    assert (register.of, register.minutes, register.grade) == (WORKED, 20, Grade.C)
    assert submit.of is WORKED
    assert register.begin == BEGIN and register.end == BEGIN + timedelta(minutes=20)
    assert SeqRange(ORIGIN, 1, 20) in register.rests_on
    assert SeqRange(GATEWAY_ORIGIN, 1, 20) in submit.rests_on


def test_an_outside_witness_of_the_gateways_word_makes_it_grade_b() -> None:
    terminal = Written()
    terminal.beats(-1, 21)
    assert told(terminal, well(), witnessed=True).register[0].grade is Grade.B
    assert told(terminal, well(), witnessed=False).register[0].grade is Grade.C


def test_without_anybodys_word_there_is_no_data_and_no_outage() -> None:
    found = told(Written())
    assert by_minute(found.register) == by_minute(found.submit) == [NO_DATA] * 20
    assert found.register[0].grade is None and found.register[0].rests_on == ()


def test_a_silence_in_the_midst_that_no_start_explains_is_no_data() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.beats(9, 21)
    assert by_minute(told(terminal).register) == [WORKED] * 5 + [NO_DATA] * 4 + [WORKED] * 11


def test_a_heartbeat_that_comes_a_little_late_leaves_no_hole() -> None:
    terminal = Written()
    terminal.beat(0, second=30)
    terminal.beat(1, second=59.9)
    terminal.beat(3, second=0.2)
    assert by_minute(told(terminal, minutes=4).register) == [WORKED] * 4


def test_submitting_is_no_data_where_the_gateway_says_nothing() -> None:
    terminal = Written()
    terminal.beats(-1, 21)
    found = told(terminal)
    assert by_minute(found.submit) == [NO_DATA] * 20
    assert by_minute(found.register) == [WORKED] * 20


def test_a_cut_line_is_undetermined_by_the_terminals_word_alone() -> None:
    found = told(cut(5, 9), well())
    assert by_minute(found.register) == [WORKED] * 20
    assert by_minute(found.submit) == [WORKED] * 5 + [Class.UNDETERMINED] * 4 + [WORKED] * 11
    outage = found.submit[1]
    assert (outage.cause, outage.outage, outage.grade) == (
        "isp_upstream",
        OUTAGE,
        Grade.C,
    )
    assert SeqRange(ORIGIN, 6, 11) in outage.rests_on


def test_a_cut_line_that_the_gateway_saw_too_is_proposed_to_be_the_third_partys() -> None:
    outage = told(cut(5, 9), silent(5, 9)).submit[1]
    assert (outage.of, outage.corroborated) == (Class.THIRD_PARTY, ("vantage",))
    assert outage.grade is Grade.C
    assert told(cut(5, 9), silent(5, 9), witnessed=True).submit[1].grade is Grade.B


def test_the_silence_of_another_terminal_corroborates_only_as_a_neighbours() -> None:
    others = silent(5, 9, "elsewhere-1")
    assert told(cut(5, 9), others).submit[1].of is Class.UNDETERMINED
    near = told(cut(5, 9), others, neighbours=["elsewhere-1"]).submit[1]
    assert (near.of, near.corroborated) == (Class.THIRD_PARTY, ("neighbours",))


def refused_of(employer: str, *, ends: bool = True, onss: bool = True) -> Written:
    """A gateway that met an employer's refused credential from minute 5 to 9."""
    beating, works = gateway(), {**GATEWAY_WORKS, "onss": onss}
    beating.beats(-1, 5, GATEWAY_WORKS)
    beating.begins(300, "onss_auth_rejected", employer=employer, outage=SEEN)
    beating.beats(5, 9, works)
    if ends:
        beating.ends(540, "onss_auth_rejected", employer=employer, outage=SEEN)
    beating.beats(9, 21, works)
    return beating


def test_minutes_in_which_the_gateway_was_away_amid_an_outage_are_its_own() -> None:
    terminal, seen = Written(), gateway()
    terminal.beats(-1, 21)
    seen.beats(-1, 3, GATEWAY_WORKS)
    fails = {**GATEWAY_WORKS, "onss": False}
    seen.begins(180, "onss_unavailable")
    seen.beats(3, 8, fails)
    stop = {"gateway-stop": "unclean"}
    seen.updates(12 * 60, "gateway_down", probes=stop, since=moment(7 * 60 + 5))
    seen.updates(12 * 60 + 15, "onss_unavailable", since=moment(12 * 60 + 1))
    seen.beats(12, 16, fails)
    seen.ends(16 * 60, "onss_unavailable", well_since=moment(16 * 60))
    seen.beats(16, 21, GATEWAY_WORKS)
    found = by_minute(told(terminal, seen).submit)
    onss, ours = Class.ONSS, Class.EMPLOYER
    assert found == [WORKED] * 3 + [onss] * 4 + [ours] * 6 + [onss] * 3 + [WORKED] * 4


def test_a_refused_credential_takes_its_employers_minutes_and_nobody_elses() -> None:
    terminal = Written()
    terminal.beats(-1, 21)
    ours = told(terminal, refused_of("acme"), employer="acme").submit
    assert by_minute(ours) == [WORKED] * 5 + [Class.EMPLOYER] * 4 + [WORKED] * 11
    assert (ours[1].cause, ours[1].outage) == ("onss_auth_rejected", SEEN)
    theirs = told(terminal, refused_of("acme"), employer="shiny").submit
    assert by_minute(theirs) == [WORKED] * 20
    assert by_minute(told(terminal, refused_of("acme")).submit) == by_minute(ours)


def test_a_credentials_outage_that_nobody_ends_or_says_again_is_over_after_six_hours() -> None:
    terminal, beating = Written(), refused_of("acme", ends=False)
    terminal.beats(-1, 600)
    beating.beats(21, 600, GATEWAY_WORKS)
    found = by_minute(told(terminal, beating, minutes=590, employer="acme").submit)
    assert found == [WORKED] * 5 + [Class.EMPLOYER] * 361 + [WORKED] * 224


def test_only_minutes_through_which_a_witness_was_there_are_grade_b() -> None:
    terminal = Written()
    terminal.beats(-1, 21)
    begin_ms = round(BEGIN.timestamp() * 1000)
    spans = [(begin_ms + 4 * 60_000 + 1, begin_ms + 9 * 60_000 + 30_000)]
    found = told(terminal, well(), witnessed=spans).register
    graded = [(span.minutes, span.grade) for span in found]
    assert graded == [(5, Grade.C), (4, Grade.B), (11, Grade.C)]


def test_a_third_partys_document_makes_a_witnessed_gap_grade_a() -> None:
    seen = silent(5, 9)
    seen.add(1300, entries.Annotation, outage=OUTAGE, document="0" * 64)
    outage = told(cut(5, 9), seen, witnessed=True).submit[1]
    assert (outage.of, outage.grade) == (Class.THIRD_PARTY, Grade.A)
    assert outage.corroborated == ("document", "vantage")
    assert told(cut(5, 9), seen, witnessed=False).submit[1].grade is Grade.C


def test_a_document_filed_under_what_the_gateway_saw_counts_for_the_same_outage() -> None:
    seen = silent(5, 9)
    seen.add(1300, entries.Annotation, outage=SEEN, document="0" * 64)
    assert told(cut(5, 9), seen, witnessed=True).submit[1].grade is Grade.A


def test_a_note_without_a_document_changes_nothing() -> None:
    terminal = cut(5, 9)
    terminal.add(1300, entries.Annotation, outage=OUTAGE, text="0" * 64)
    assert told(terminal, well()) == told(cut(5, 9), well())


def test_mains_lost_are_the_suppliers_only_with_its_word_or_the_neighbours() -> None:
    assert told(cut(5, 9, "mains_loss"), silent(5, 9)).submit[1].of is Class.UNDETERMINED
    near = told(cut(5, 9, "mains_loss"), silent(5, 9, "near"), neighbours=["near"])
    assert near.submit[1].of is Class.THIRD_PARTY


def test_the_onss_answers_for_its_own_service() -> None:
    terminal = Written()
    terminal.beats(-1, 21)
    seen = gateway()
    seen.beats(-1, 5, GATEWAY_WORKS)
    seen.begins(300, "onss_unavailable")
    seen.beats(5, 9, {**GATEWAY_WORKS, "onss": False})
    seen.ends(540, "onss_unavailable", well_since=moment(540))
    seen.beats(9, 21, GATEWAY_WORKS)
    found = told(terminal, seen, witnessed=True)
    assert by_minute(found.register) == [WORKED] * 20
    assert by_minute(found.submit) == [WORKED] * 5 + [Class.ONSS] * 4 + [WORKED] * 11
    assert found.submit[1].grade is Grade.B


def test_a_gateways_word_on_its_own_line_does_not_corroborate_itself() -> None:
    terminal = Written()
    terminal.beats(-1, 21)
    seen = cut(5, 9)
    seen.origin = GATEWAY_ORIGIN
    assert told(terminal, seen, witnessed=True).submit[1].of is not Class.THIRD_PARTY


def test_where_causes_meet_the_one_that_speaks_least_for_the_employer_counts() -> None:
    terminal = cut(5, 9, "broker_down")
    seen = gateway()
    seen.beats(-1, 5, GATEWAY_WORKS)
    seen.begins(300, "onss_unavailable", outage=OTHER_OUTAGE)
    seen.beats(5, 21, {**GATEWAY_WORKS, "onss": False})
    found = by_minute(told(terminal, seen).submit)
    assert found[5:9] == [Class.EMPLOYER] * 4 and found[9:] == [Class.ONSS] * 11


def test_an_outage_takes_each_minute_it_touches() -> None:
    terminal = Written()
    terminal.beats(-1, 21)
    terminal.begins(310, "reader_fault", "register")
    terminal.ends(372, "reader_fault", "register", well_since=moment(362))
    found = by_minute(told(terminal).register)
    assert found == [WORKED] * 5 + [Class.EMPLOYER] * 2 + [WORKED] * 13


def test_an_outage_began_with_its_first_sign_and_ended_when_it_was_well() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.begins(365, "reader_fault", "register", since=moment(299))
    terminal.beats(6, 9, {**WORKS, "reader": False})
    terminal.ends(560, "reader_fault", "register", well_since=moment(539))
    terminal.beats(10, 21)
    found = by_minute(told(terminal).register)
    assert found[:5] == [WORKED] * 4 + [Class.EMPLOYER]
    assert found[8] is Class.EMPLOYER and found[10] is WORKED


def test_an_outage_that_nobody_ended_is_none_while_heartbeats_say_that_it_works() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.begins(302, "broker_down")
    terminal.beats(5, 8, CUT)
    terminal.beats(8, 21)
    found = by_minute(told(terminal, well()).submit)
    assert found == [WORKED] * 5 + [Class.EMPLOYER] * 3 + [WORKED] * 12


def test_an_outage_takes_no_minute_that_nobody_witnessed() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.begins(302, "broker_down")
    terminal.beats(5, 8, CUT)
    found = by_minute(told(terminal, well()).submit)
    assert found == [WORKED] * 5 + [Class.EMPLOYER] * 3 + [NO_DATA] * 12


def test_a_cause_that_changes_splits_the_minutes() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.begins(300, "isp_upstream")
    terminal.beats(5, 7, CUT)
    update = {"outage": OUTAGE, "probes": {}, "affected": "submit"}
    terminal.add(420, entries.OutageUpdate, cause="broker_down", **update)
    terminal.beats(7, 9, CUT)
    terminal.ends(540, "broker_down", well_since=moment(540))
    terminal.beats(9, 21)
    causes = [(span.cause, span.minutes) for span in told(terminal, well()).submit]
    assert causes == [(None, 5), ("isp_upstream", 2), ("broker_down", 2), (None, 11)]


@pytest.mark.parametrize(
    ("clean", "of", "cause"),
    [
        (True, Class.EMPLOYER, "manual_power_off"),
        (False, Class.UNDETERMINED, "power_loss_unexplained"),
    ],
)
def test_the_time_before_a_start_is_told_by_the_start(clean: bool, of: Class, cause: str) -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    if clean:
        terminal.add(270, entries.Shutdown)
    terminal.boot = NEXT_BOOT
    terminal.add(9 * 60 + 1, entries.Boot, clean=clean)
    terminal.beats(9, 21)
    found = told(terminal, well())
    expected = [WORKED] * 5 + [of] * 4 + [WORKED] * 11
    assert by_minute(found.register) == by_minute(found.submit) == expected
    assert found.register[1].cause == cause


def test_a_stop_that_was_looked_into_at_the_start_has_its_cause_from_there() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.boot = NEXT_BOOT
    terminal.add(541, entries.Boot, clean=False)
    stop = {"since": moment(245), "probes": {"stop": "unclean", "battery": "empty"}}
    terminal.begins(542, "battery_empty", "register", **stop)
    terminal.ends(552, "battery_empty", "register", well_since=moment(541))
    terminal.beats(9, 21)
    found = told(terminal, well())
    assert by_minute(found.register) == [WORKED] * 5 + [Class.EMPLOYER] * 4 + [WORKED] * 11
    assert found.register[1].cause == found.submit[1].cause == "battery_empty"


def test_nobody_was_missing_before_the_first_start_ever() -> None:
    terminal = Written()
    terminal.add(9 * 60 + 1, entries.Boot, clean=False)
    terminal.beats(9, 21)
    assert by_minute(told(terminal).register) == [NO_DATA] * 9 + [WORKED] * 11


def test_what_did_not_work_during_maintenance_is_the_employers() -> None:
    terminal = Written()
    terminal.beats(-1, 4)
    terminal.add(290, entries.MaintenanceBegin)
    terminal.begins(300, "isp_upstream")
    terminal.beats(5, 9, CUT)
    terminal.ends(540, "isp_upstream", well_since=moment(540))
    terminal.add(542, entries.MaintenanceEnd)
    terminal.beats(9, 21)
    outage = [span for span in told(terminal, silent(5, 9)).submit if span.of is Class.EMPLOYER]
    assert [(span.cause, span.minutes) for span in outage] == [("maintenance", 4)]


def test_times_on_a_clock_that_was_set_later_are_derived() -> None:
    terminal = Written(synced=False, skew_s=-86_400 * 365)
    terminal.beats(0, 10)
    terminal.begins(120, "reader_fault", "register")
    wrong = moment(240 + terminal.skew_s)
    terminal.ends(250, "reader_fault", "register", well_since=wrong)
    before = moment(601 + terminal.skew_s)
    terminal.skew_s, terminal.synced = 0, True
    terminal.add(601, entries.ClockStep, before=before, after=moment(601))
    terminal.beats(10, 21)
    found = by_minute(told(terminal).register)
    # A heartbeat in the midst says that it worked, all the same.
    assert [of is NO_DATA for of in found] == [False] * 20
    assert found[2] is Class.EMPLOYER and found[5] is WORKED


def test_a_boot_whose_clock_never_was_right_is_undetermined_between_what_is_known() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.boot, terminal.synced, terminal.skew_s = NEXT_BOOT, False, -86_400
    terminal.beats(6, 9)
    terminal.boot, terminal.synced, terminal.skew_s = OUTAGE, True, 0
    terminal.beats(12, 21)
    found = told(terminal)
    expected = [WORKED] * 5 + [Class.UNDETERMINED] * 7 + [WORKED] * 8
    assert by_minute(found.register) == expected
    unknown = found.register[1]
    assert (unknown.cause, unknown.rests_on) == (
        "clock_untrusted",
        (SeqRange(ORIGIN, 6, 8),),
    )


def test_a_trustless_clock_at_the_end_of_what_there_is_explains_nothing() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.boot, terminal.synced = NEXT_BOOT, False
    terminal.beats(6, 9)
    assert by_minute(told(terminal).register) == [WORKED] * 5 + [NO_DATA] * 15


def test_a_part_that_no_heartbeat_names_is_not_said_to_work() -> None:
    terminal = Written()
    terminal.beats(-1, 21, {"reader": True})
    assert by_minute(told(terminal).register) == [NO_DATA] * 20


def test_what_does_not_work_and_has_no_outage_is_undetermined() -> None:
    terminal = Written()
    terminal.beats(-1, 21, {"reader": False, "disk": True})
    assert by_minute(told(terminal).register) == [Class.UNDETERMINED] * 20


def test_a_cause_that_this_version_does_not_know_names_nobody() -> None:
    assert told(cut(5, 9, "moonshine"), silent(5, 9)).submit[1].of is Class.UNDETERMINED


def test_a_period_is_of_whole_minutes() -> None:
    with pytest.raises(ValueError, match="whole minute"):
        judge(Journals(TERMINAL, []), BEGIN + timedelta(seconds=1), BEGIN)
    assert judge(Journals(TERMINAL, []), BEGIN, BEGIN).register == ()
