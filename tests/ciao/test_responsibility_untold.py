"""What is said of an outage whose entries have no time: no more than is known."""

from __future__ import annotations

from ciao import entries
from ciao.responsibility import Class
from tests.ciao.journals import CUT, NEXT_BOOT, OUTAGE, Written, by_minute, moment, told, well

WORKED, NO_DATA = Class.WORKED, Class.NO_DATA


def test_an_outage_that_ends_at_an_untold_time_is_over_with_the_last_known_moment() -> None:
    terminal = Written()
    terminal.beats(-1, 4)
    terminal.add(250, entries.Boot, clean=False)
    stop = {"since": moment(185), "probes": {"stop": "unclean", "machine": "same"}}
    terminal.begins(251, "terminal_fault", "register", **stop)
    terminal.synced = False
    terminal.ends(270, "terminal_fault", "register")
    terminal.boot, terminal.synced = NEXT_BOOT, True
    terminal.beats(5, 15)
    found = by_minute(told(terminal).register)
    assert found == [WORKED] * 4 + [Class.EMPLOYER] + [WORKED] * 10 + [NO_DATA] * 5


def test_an_outage_that_begins_at_an_untold_time_counts_from_the_next_known_moment() -> None:
    terminal = Written()
    terminal.beats(-1, 2)
    terminal.boot, terminal.synced = NEXT_BOOT, False
    stop = {"since": moment(65), "probes": {"stop": "clean"}}
    terminal.begins(200, "manual_power_off", "register", **stop)
    terminal.boot, terminal.synced = OUTAGE, True
    again = {"since": moment(200), "probes": {"stop": "unclean", "machine": "same"}}
    terminal.updates(360, "terminal_fault", "register", **again)
    terminal.ends(370, "terminal_fault", "register")
    terminal.beats(6, 21)
    found = by_minute(told(terminal).register)
    assert Class.EMPLOYER not in found[:2] and found[7:] == [WORKED] * 13


def test_an_outage_that_began_and_ended_at_untold_times_blames_nobody() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.boot, terminal.synced = NEXT_BOOT, False
    terminal.begins(400, "manual_power_off", "register", probes={"stop": "clean"})
    terminal.ends(410, "manual_power_off", "register")
    terminal.boot, terminal.synced = OUTAGE, True
    terminal.beats(12, 15)
    found = by_minute(told(terminal).register)
    assert found == [WORKED] * 5 + [Class.UNDETERMINED] * 7 + [WORKED] * 3 + [NO_DATA] * 5


def test_a_cause_that_changed_at_an_untold_time_counts_from_the_next_known_moment() -> None:
    terminal = Written()
    terminal.beats(-1, 5)
    terminal.begins(300, "local_link_down")
    terminal.beats(5, 7, CUT)
    terminal.boot, terminal.synced = NEXT_BOOT, False
    terminal.updates(480, "unclassified")
    terminal.boot, terminal.synced = OUTAGE, True
    terminal.beats(10, 13, CUT)
    terminal.ends(780, "unclassified", well_since=moment(780))
    terminal.beats(13, 21)
    found = by_minute(told(terminal, well()).submit)
    assert found[5:7] == [Class.EMPLOYER] * 2 and found[10:13] == [Class.UNDETERMINED] * 3
