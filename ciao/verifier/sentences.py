"""Every sentence that says that something fails, or can't be known. Data."""

from __future__ import annotations

FAILS = {
    # the folder
    "file_missing": "A file that the manifest names is not in the bundle.",
    "file_altered": "A file is not the one that the manifest names: it was altered.",
    "file_unnamed": "There is a file in the bundle that the manifest does not name.",
    "form": "Something is not of the form that a bundle has.",
    "table": "The table report.csv does not say what the rows say.",
    # keys
    "binding_signature": "A binding is not signed by an employer's key that you trust.",
    "binding_form": "A binding is not named by what it says, or not of the form of one.",
    "certificate": "A log's key is not certified by the terminal that a trusted binding names.",
    "unlisted": "There are entries of a terminal that the manifest does not name.",
    # the tree
    "row_order": "Entries are missing, doubled or out of order.",
    "leaf": "An entry is not of the form that entries have, or says another place than its own.",
    "root": "The entries do not lead to the root that was cosigned:"
    " something was changed, added, removed or reordered.",
    "fork": "The terminal signed two different trees of one size: there are two histories.",
    "log_signature": "A checkpoint is not signed by its log's own key.",
    "quorum": "A checkpoint lacks the cosignatures that your policy asks for:"
    " nobody but its owner vouches for it.",
    "cosignature": "A cosignature in the name of a cosigner that you trust is false.",
    "note_order": "Checkpoints are doubled, out of order, or of sizes that the bundle does not"
    " reach.",
    "end": "The entries end before the end that the bundle states: the tail was dropped.",
    "beyond": "There are entries beyond the last cosigned checkpoint that claim to be before it.",
    "proof": "A consistency proof does not show that one tree extends the other.",
    # time
    "note_missing": "An entry names a cosigned checkpoint that is not here: one was hidden.",
    "note_hidden": "A gateway's own journal names a checkpoint of a terminal that is not here:"
    " one was hidden.",
    "journal": "No gateway's own journal, such as your policy asks to be witnessed, tells of this"
    " terminal all the time.",
    "witness": "A gateway's own journal has no checkpoint that was cosigned by the outside"
    " witnesses that your policy asks for.",
    "witness_time": "An outside witness and a gateway say times of one checkpoint more than"
    " ten minutes apart: it was written afterwards, or a clock was wrong.",
    "too_early": "An entry says a time before a checkpoint that was cosigned before it was"
    " written: it was back-dated.",
    "too_late": "An entry says a time after a cosignature that covers it already:"
    " it was post-dated.",
    # the chain of logs
    "start": "Nothing shows that the entries are complete from the start that the bundle states.",
    "fresh": "The entries do not reach the time up to which the bundle says that it is complete.",
    "asked": "The bundle does not say that it is complete for the period that you asked for.",
    "branch": "A planned log follows another than the newest: the terminal's key was used in two"
    " places, and has two histories.",
    "begins_anew": "A terminal's log begins anew, as if there had been none before it.",
    "predecessor": "The log before a terminal's log is missing, or does not reach as far as was"
    " cosigned of it: a memory card may have been rolled back.",
    "predecessor_root": "A log says of the one before it what that one is not.",
    "handed_over": "Entries of the log before were neither cosigned nor handed over.",
    "carried": "An entry that was handed over to a new log differs from the original.",
    # attachments
    "stamp_form": "A time stamp, or the list that it stamps, is missing or not of its form.",
    "stamp": "A time stamp is not by an authority that you trust, or of another list.",
    "stamp_note": "An outside authority stamped a checkpoint that ought to be here and is not:"
    " it was kept back, or another history took its place.",
    "stamp_time": "A checkpoint was cosigned later than an outside authority stamped it:"
    " a cosigner's clock was wrong, or it lied.",
    "report_form": "The report report.pdf is not a PDF of the form that reports have, holds files"
    " that reports do not hold, or unpacks to more than any report.",
    "report_rows": "The report report.pdf was made of other rows than these.",
    "report_altered": "The report report.pdf was changed after it was signed.",
    # meaning
    "binding_missing": "A stamp names a binding that is not in the bundle.",
    "binding_other": "A stamp names a binding of another terminal or another declaration.",
    "binding_not_in_force": "A stamp names a binding that was not in force.",
    "deletion": "A deletion that the bundle brings is not proven to be in the own journal of a"
    " gateway whose terminal it is about.",
    "not_deleted": "What a gateway's own journal says was deleted is here all the same.",
    "opening": "What is disclosed of a badge is not what the terminal sealed.",
    "gone": "A row says that a payload is gone, where it could not say so.",
}

UNKNOWN = {
    "clock": "The clock could not be believed: the time is the terminal's word alone.",
    "carried": "Handed over from a log that is not in the bundle, or was rolled back:"
    " the time is not proven.",
    "undated": "No cosigned checkpoint was named before: that the time is not too early is"
    " not proven.",
    "wide": "More than ten minutes lie between the cosigned checkpoint before and the cosignature"
    " after: when in between is the terminal's word alone.",
    "claimed": "Behind the last cosigned checkpoint: the terminal's word alone.",
    "kind": "Entries of a kind or with a value that this verifier does not know.",
    "gap": "No entry for more than three minutes: what happened then is not known here.",
    "damage": "A log was damaged and what could be read of it was carried on.",
    "unreadable": "Entries that nobody had cosigned yet are lost with a damaged log, in whole or"
    " in part, as the terminal says itself: what they said is not known.",
    "rolled_back": "A memory card was rolled back; what it had forgotten is in the log before.",
    "first": "This log, begun within the time that is claimed, says that its terminal had none"
    " before: no gateway's own journal is here that would show one.",
    "deleted": "Identity can't be disclosed any more: the payload was deleted on purpose after its"
    " time, as an entry says.",
    "said_deleted": "Said to be deleted, and no entry in the bundle speaks of it: lost, but for the"
    " exporter's word.",
    "deleted_log": "A whole log was deleted on purpose after its time, as an entry of a gateway's"
    " own journal says: what it held is not known here.",
    "lost": "Identity can't be disclosed: the payload is lost.",
    "no_end": "Nothing is said to be complete: no clock of this terminal could be believed.",
    "not_begun": "The period asked for begins before what the bundle says to be complete: what came"
    " before is not known here.",
    "no_journal": "No gateway's own journal is here: whether the newest checkpoints of a log were"
    " left out can't be told by it.",
    "not_reached": "The period asked for goes on beyond what was cosigned: what came after is not"
    " known here.",
    "stamp_untrusted": "There are time stamps, and your policy names no authority to believe.",
    "report": "What the pages of report.pdf say is a reading of these rows; whether it reads them"
    " rightly no program can tell. Who signed it, your PDF reader shows.",
    "report_unsigned": "The report report.pdf is not signed.",
    "attachment": "A file that this verifier can't check: it proves nothing here.",
    "unnamed": "Checkpoints of a terminal behind the last one that a gateway's own journal names:"
    " no witness knows of them yet.",
    "unwitnessed": "What a gateway's own journal says behind the last checkpoint that an outside"
    " witness cosigned is its word alone.",
    "others": "Whether the site has other terminals than these can't be known from the bundle.",
    "cosigner": "Whether the cosigners are independent of the employer is for you to judge.",
    "badge": "Who held a badge is in no bundle; that the badge's holder was the one who tapped"
    " neither.",
}
