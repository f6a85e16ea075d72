"""What must be true at the end of every run, whatever happened: one file an invariant.

Each takes the evidence and yields the violations it found, in words; none uses the code it checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.sim.checks.attempts import attempts_are_begun_and_ended, nothing_is_sent_again_blindly
from tests.sim.checks.badges import lost_badges_are_held, nobody_elses_badge
from tests.sim.checks.commits import receipts_follow_commits, shown_stamps_are_on_the_disk
from tests.sim.checks.declarations import declarations_hold_from_their_moment
from tests.sim.checks.deletions import what_is_gone_was_said
from tests.sim.checks.directions import directions_are_those_pressed
from tests.sim.checks.kept import what_was_shown_is_kept
from tests.sim.checks.minutes import no_data_is_no_outage, no_minute_is_blamed_without_a_fault
from tests.sim.checks.once import registered_once_or_set_aside
from tests.sim.checks.order import each_workers_order_is_kept
from tests.sim.checks.outages import (
    a_fault_is_named,
    a_power_cut_is_told_by_the_next_start,
    an_end_says_since_when_it_is_well,
    an_outage_ends,
    flapping_is_one_outage,
    only_what_failed_is_blamed,
)
from tests.sim.checks.receipts import receipts_are_proofs
from tests.sim.checks.sealed import what_was_sealed_is_opened
from tests.sim.checks.sequences import sequences_are_gapless
from tests.sim.checks.settling import everything_settles
from tests.sim.checks.times import times_never_change
from tests.sim.checks.watch import (
    an_outage_of_the_onss_is_named,
    no_outage_of_the_onss_is_invented,
    the_gateways_journal_is_one_log,
)
from tests.sim.evidence import Evidence

Check = Callable[[Evidence], Iterator[str]]

CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        shown_stamps_are_on_the_disk,
        receipts_follow_commits,
        what_was_shown_is_kept,
        sequences_are_gapless,
        receipts_are_proofs,
        registered_once_or_set_aside,
        what_was_sealed_is_opened,
        nobody_elses_badge,
        lost_badges_are_held,
        declarations_hold_from_their_moment,
        directions_are_those_pressed,
        times_never_change,
        each_workers_order_is_kept,
        attempts_are_begun_and_ended,
        nothing_is_sent_again_blindly,
        everything_settles,
        an_outage_of_the_onss_is_named,
        no_outage_of_the_onss_is_invented,
        the_gateways_journal_is_one_log,
        what_is_gone_was_said,
        a_fault_is_named,
        an_outage_ends,
        a_power_cut_is_told_by_the_next_start,
        no_minute_is_blamed_without_a_fault,
        no_data_is_no_outage,
        only_what_failed_is_blamed,
        an_end_says_since_when_it_is_well,
        flapping_is_one_outage,
    )
}
