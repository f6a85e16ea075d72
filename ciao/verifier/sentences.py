"""Every text that the verifier has: what fails, what can't be known, and where. Data.

Code goes about with the words in front; they are put into a language at the edge (`words.py`).
"""

from __future__ import annotations

from ciao.texts import N_

FAILS = {
    # the folder
    "file_missing": N_("A file that the manifest names is not in the bundle."),
    "file_altered": N_("A file is not the one that the manifest names: it was altered."),
    "file_unnamed": N_("There is a file in the bundle that the manifest does not name."),
    "form": N_("Something is not of the form that a bundle has."),
    "table": N_("The table report.csv does not say what the rows say."),
    # keys
    "binding_signature": N_("A binding is not signed by an employer's key that you trust."),
    "binding_form": N_("A binding is not named by what it says, or not of the form of one."),
    "certificate": N_("A log's key is not certified by the terminal that a trusted binding names."),
    "unlisted": N_("There are entries of a terminal that the manifest does not name."),
    # the tree
    "row_order": N_("Entries are missing, doubled or out of order."),
    "leaf": N_(
        "An entry is not of the form that entries have, or says another place than its own."
    ),
    "root": N_(
        "The entries do not lead to the root that was cosigned:"
        " something was changed, added, removed or reordered."
    ),
    "fork": N_("The terminal signed two different trees of one size: there are two histories."),
    "log_signature": N_("A checkpoint is not signed by its log's own key."),
    "quorum": N_(
        "A checkpoint lacks the cosignatures that your policy asks for:"
        " nobody but its owner vouches for it."
    ),
    "cosignature": N_("A cosignature in the name of a cosigner that you trust is false."),
    "note_order": N_(
        "Checkpoints are doubled, out of order, or of sizes that the bundle does not reach."
    ),
    "end": N_("The entries end before the end that the bundle states: the tail was dropped."),
    "beyond": N_(
        "There are entries beyond the last cosigned checkpoint that claim to be before it."
    ),
    "proof": N_("A consistency proof does not show that one tree extends the other."),
    # time
    "note_missing": N_("An entry names a cosigned checkpoint that is not here: one was hidden."),
    "note_hidden": N_(
        "A gateway's own journal names a checkpoint of a terminal that is not here: one was hidden."
    ),
    "journal": N_(
        "No gateway's own journal, such as your policy asks to be witnessed, tells of this"
        " terminal all the time."
    ),
    "witness": N_(
        "A gateway's own journal has no checkpoint that was cosigned by the outside"
        " witnesses that your policy asks for."
    ),
    "witness_time": N_(
        "An outside witness and a gateway say times of one checkpoint more than"
        " ten minutes apart: it was written afterwards, or a clock was wrong."
    ),
    "too_early": N_(
        "An entry says a time before a checkpoint that was cosigned before it was"
        " written: it was back-dated."
    ),
    "too_late": N_(
        "An entry says a time after a cosignature that covers it already: it was post-dated."
    ),
    # the chain of logs
    "start": N_(
        "Nothing shows that the entries are complete from the start that the bundle states."
    ),
    "fresh": N_(
        "The entries do not reach the time up to which the bundle says that it is complete."
    ),
    "asked": N_("The bundle does not say that it is complete for the period that you asked for."),
    "branch": N_(
        "A planned log follows another than the newest: the terminal's key was used in two"
        " places, and has two histories."
    ),
    "begins_anew": N_("A terminal's log begins anew, as if there had been none before it."),
    "predecessor": N_(
        "The log before a terminal's log is missing, or does not reach as far as was"
        " cosigned of it: a memory card may have been rolled back."
    ),
    "predecessor_root": N_("A log says of the one before it what that one is not."),
    "handed_over": N_("Entries of the log before were neither cosigned nor handed over."),
    "carried": N_("An entry that was handed over to a new log differs from the original."),
    # attachments
    "stamp_form": N_("A time stamp, or the list that it stamps, is missing or not of its form."),
    "stamp": N_("A time stamp is not by an authority that you trust, or of another list."),
    "stamp_note": N_(
        "An outside authority stamped a checkpoint that ought to be here and is not:"
        " it was kept back, or another history took its place."
    ),
    "stamp_time": N_(
        "A checkpoint was cosigned later than an outside authority stamped it:"
        " a cosigner's clock was wrong, or it lied."
    ),
    "report_form": N_(
        "The report report.pdf is not a PDF of the form that reports have, holds files"
        " that reports do not hold, or unpacks to more than any report."
    ),
    "report_rows": N_("The report report.pdf was made of other rows than these."),
    "report_altered": N_("The report report.pdf was changed after it was signed."),
    # meaning
    "binding_missing": N_("A stamp names a binding that is not in the bundle."),
    "binding_other": N_("A stamp names a binding of another terminal or another declaration."),
    "binding_not_in_force": N_("A stamp names a binding that was not in force."),
    "deletion": N_(
        "A deletion that the bundle brings is not proven to be in the own journal of a"
        " gateway whose terminal it is about."
    ),
    "not_deleted": N_("What a gateway's own journal says was deleted is here all the same."),
    "opening": N_("What is disclosed of a badge is not what the terminal sealed."),
    "gone": N_("A row says that a payload is gone, where it could not say so."),
}

UNKNOWN = {
    "clock": N_("The clock could not be believed: the time is the terminal's word alone."),
    "carried": N_(
        "Handed over from a log that is not in the bundle, or was rolled back:"
        " the time is not proven."
    ),
    "undated": N_(
        "No cosigned checkpoint was named before: that the time is not too early is not proven."
    ),
    "wide": N_(
        "More than ten minutes lie between the cosigned checkpoint before and the cosignature"
        " after: when in between is the terminal's word alone."
    ),
    "claimed": N_("Behind the last cosigned checkpoint: the terminal's word alone."),
    "kind": N_("Entries of a kind or with a value that this verifier does not know."),
    "gap": N_("No entry for more than three minutes: what happened then is not known here."),
    "damage": N_("A log was damaged and what could be read of it was carried on."),
    "unreadable": N_(
        "Entries that nobody had cosigned yet are lost with a damaged log, in whole or"
        " in part, as the terminal says itself: what they said is not known."
    ),
    "rolled_back": N_("A memory card was rolled back; what it had forgotten is in the log before."),
    "first": N_(
        "This log, begun within the time that is claimed, says that its terminal had none"
        " before: no gateway's own journal is here that would show one."
    ),
    "deleted": N_(
        "Identity can't be disclosed any more: the payload was deleted on purpose after its"
        " time, as an entry says."
    ),
    "said_deleted": N_(
        "Said to be deleted, and no entry in the bundle speaks of it: lost, but for the"
        " exporter's word."
    ),
    "deleted_log": N_(
        "A whole log was deleted on purpose after its time, as an entry of a gateway's"
        " own journal says: what it held is not known here."
    ),
    "lost": N_("Identity can't be disclosed: the payload is lost."),
    "no_end": N_("Nothing is said to be complete: no clock of this terminal could be believed."),
    "not_begun": N_(
        "The period asked for begins before what the bundle says to be complete: what came"
        " before is not known here."
    ),
    "no_journal": N_(
        "No gateway's own journal is here: whether the newest checkpoints of a log were"
        " left out can't be told by it."
    ),
    "not_reached": N_(
        "The period asked for goes on beyond what was cosigned: what came after is not known here."
    ),
    "stamp_untrusted": N_("There are time stamps, and your policy names no authority to believe."),
    "report": N_(
        "What the pages of report.pdf say is a reading of these rows; whether it reads them"
        " rightly no program can tell. Who signed it, your PDF reader shows."
    ),
    "report_unsigned": N_("The report report.pdf is not signed."),
    "attachment": N_("A file that this verifier can't check: it proves nothing here."),
    "unnamed": N_(
        "Checkpoints of a terminal behind the last one that a gateway's own journal names:"
        " no witness knows of them yet."
    ),
    "unwitnessed": N_(
        "What a gateway's own journal says behind the last checkpoint that an outside"
        " witness cosigned is its word alone."
    ),
    "others": N_("Whether the site has other terminals than these can't be known from the bundle."),
    "cosigner": N_("Whether the cosigners are independent of the employer is for you to judge."),
    "badge": N_(
        "Who held a badge is in no bundle; that the badge's holder was the one who tapped neither."
    ),
}

# Where something was found; `start`, `end` and `when` are moments. What a decoder says of a line
# that is not of its form (`error`) stays in English.
PLACES = {
    "file": "{file}",
    "file_error": N_("{file}: {error}"),
    "line": N_("{file} line {line}"),
    "line_size": N_("{file} line {line}, size {size}"),
    "line_error": N_("{file} line {line}: {error}"),
    "bindings": N_("more than {count} bindings"),
    "terminal": "{terminal}",
    "terminal_twice": N_("a terminal of which two things are claimed"),
    "no_terminal": N_("nothing is said of any terminal"),
    "count": N_("{terminal}: {count}"),
    "from": N_("{terminal} from {start}"),
    "until": N_("{terminal} up to {end}"),
    "no_end": N_("{terminal}: nothing is said to be complete"),
    "before": N_("{terminal} before {start}"),
    "after": N_("{terminal} after {end}"),
    "log": "{origin}",
    "log_twice": N_("{origin}: twice"),
    "no_log": N_("a checkpoint of no log"),
    "edge": N_("{origin}: the edge of another size"),
    "unnamed": N_("{origin}: checkpoints that no entry names"),
    "size": N_("{origin}, size {size}"),
    "follows": N_("{origin} follows {before}"),
    "follows_none": N_("{origin} follows nothing that is known"),
    "log_deleted": N_("{origin}, deleted on {when}"),
    "entry": N_("{origin} entry {seq}"),
    "from_entry": N_("{origin} from entry {seq}"),
    "entry_of": N_("{terminal}, by {origin} entry {seq}"),
    "entries": N_("{origin} entries {first} to {last}"),
    "entries_deleted": N_("{origin} entries {first} to {last}, deleted on {when}"),
    "silence": N_("{origin} from {start} to {end}"),
}
