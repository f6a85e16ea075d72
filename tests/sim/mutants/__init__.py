"""The product, broken on purpose: each way must be caught by the checker that it names.

A mutant that survives is a missing checker. `python -m tests.sim --mutant NAME` runs one.
"""

from __future__ import annotations

from tests.sim.mutants.forwarding import (
    attempt_not_begun,
    attempt_not_ended,
    direction_toggled,
    lost_badge_forgotten,
    resent_after_a_crash,
    resent_on_timeout,
    restored_as_new,
    retimed,
    somebody_elses,
    youngest_first,
)
from tests.sim.mutants.mutant import SEEDS, Mutant
from tests.sim.mutants.outages import (
    line_never_looked_at,
    outage_never_over,
    over_at_once,
    power_cut_forgotten,
    provider_blamed,
    silence_is_an_outage,
    well_since_it_was_told,
)
from tests.sim.mutants.telling import (
    bound_too_early,
    direction_inferred,
    dropped_on_full,
    older_kept_back,
    receipt_before_commit,
    sealed_too_early,
    sequence_skipped,
    settled_on_anything,
    settled_when_sent,
    shown_before_commit,
)
from tests.sim.mutants.watching import (
    deleted_in_silence,
    notes_made_up,
    onss_blamed,
    outages_kept_quiet,
)

MUTANTS = {
    mutant.name: mutant
    for mutant in (
        Mutant("shown_before_commit", shown_before_commit, "shown_stamps_are_on_the_disk"),
        Mutant("dropped_on_full", dropped_on_full, "shown_stamps_are_on_the_disk"),
        Mutant("receipt_before_commit", receipt_before_commit, "receipts_follow_commits"),
        Mutant("settled_when_sent", settled_when_sent, "receipts_are_proofs"),
        Mutant("settled_on_anything", settled_on_anything, "receipts_are_proofs", (130, *SEEDS)),
        Mutant("sequence_skipped", sequence_skipped, "sequences_are_gapless"),
        Mutant("direction_inferred", direction_inferred, "directions_are_those_pressed"),
        Mutant("direction_toggled", direction_toggled, "directions_are_those_pressed"),
        Mutant("resent_on_timeout", resent_on_timeout, "registered_once_or_set_aside"),
        Mutant("resent_after_a_crash", resent_after_a_crash, "nothing_is_sent_again_blindly"),
        Mutant("restored_as_new", restored_as_new, "registered_once_or_set_aside"),
        Mutant("older_kept_back", older_kept_back, "registered_once_or_set_aside", (411, 614)),
        Mutant("attempt_not_begun", attempt_not_begun, "attempts_are_begun_and_ended"),
        Mutant("attempt_not_ended", attempt_not_ended, "attempts_are_begun_and_ended"),
        Mutant("retimed", retimed, "times_never_change"),
        Mutant("somebody_elses", somebody_elses, "nobody_elses_badge"),
        Mutant("lost_badge_forgotten", lost_badge_forgotten, "lost_badges_are_held"),
        Mutant(
            "bound_too_early", bound_too_early, "declarations_hold_from_their_moment", (31, *SEEDS)
        ),
        Mutant("sealed_too_early", sealed_too_early, "what_was_sealed_is_opened", (1010,)),
        Mutant("youngest_first", youngest_first, "each_workers_order_is_kept"),
        Mutant("outages_kept_quiet", outages_kept_quiet, "an_outage_of_the_onss_is_named"),
        Mutant("onss_blamed", onss_blamed, "no_outage_of_the_onss_is_invented"),
        Mutant("deleted_in_silence", deleted_in_silence, "what_is_gone_was_said"),
        Mutant("notes_made_up", notes_made_up, "the_gateways_journal_is_one_log"),
        Mutant("line_never_looked_at", line_never_looked_at, "a_fault_is_named", (23, *SEEDS)),
        Mutant("outage_never_over", outage_never_over, "an_outage_ends"),
        Mutant("provider_blamed", provider_blamed, "only_what_failed_is_blamed"),
        Mutant(
            "well_since_it_was_told", well_since_it_was_told, "an_end_says_since_when_it_is_well"
        ),
        Mutant(
            "power_cut_forgotten",
            power_cut_forgotten,
            "a_power_cut_is_told_by_the_next_start",
            (24, *SEEDS),
        ),
        Mutant("silence_is_an_outage", silence_is_an_outage, "no_data_is_no_outage"),
        Mutant("over_at_once", over_at_once, "flapping_is_one_outage"),
    )
}
