"""Cases and reasons in plain words, for whoever runs a site. Pure; translations in gateway/locale.

The ONSS's own `title` and `detail` are not for end users (Belgif), and its remarks have no form
that is known; so the codes have words of ours, and the raw answer stays sealed.
"""

from __future__ import annotations

from gateway.onss.cases import Case
from gateway.onss.reasons import Reason


def N_(text: str) -> str:
    """Mark a text that is translated where it is shown."""
    return text


REASONS: dict[Reason, str] = {
    Reason.PERSON: N_("The ONSS refused the person: is the NISS or BIS number right?"),
    Reason.COMPANY: N_("The ONSS refused the company number: is it the worker's employer's?"),
    Reason.DECLARATION: N_("The ONSS refused the number of the works declaration."),
    Reason.PLACE: N_("The ONSS refused the place of work."),
    Reason.TIME: N_("The ONSS refused the time."),
    Reason.DIRECTION: N_("The ONSS refused the direction."),
    Reason.OTHER: N_("The ONSS refused it and gave no reason that we understand."),
    Reason.NOT_DECLARED: N_("The ONSS says that the worker is not declared: look at the Dimona."),
    Reason.NOT_ACTIVE: N_("The ONSS says that the works declaration is not active."),
    Reason.NOT_IN_CHAIN: N_(
        "The ONSS says that the company is not in the chain of contractors of these works."
    ),
    Reason.TWICE: N_("The ONSS says that it has this registration already."),
    Reason.TOO_LATE: N_("The ONSS says that it came too late."),
    Reason.REMARK: N_("The ONSS has it, with a remark that we do not understand."),
}

_UNREADABLE = N_("The ONSS answered in a form that we do not understand; it is being asked.")
_SOMEBODY_ELSE = N_("Something else than the ONSS answered; the ONSS is being asked.")
_NOT_REACHED = N_("The ONSS could not be reached; it is sent again.")
_CREDENTIAL = N_("The ONSS does not let our credential in: it needs mending.")
_NO_ANSWER = N_("No answer came; the ONSS is being asked whether it has it.")
_FORM = N_("The ONSS does not take it in this form: that is ours to mend, not the worker's.")
_ALONE = N_("It is sent again, on its own.")

CASES: dict[Case, str] = {
    Case.CREATED: N_("The ONSS has it."),
    Case.NOT_CREATED: REASONS[Reason.OTHER],
    Case.ITEM_UNCLEAR: _UNREADABLE,
    Case.COUNT_UNCLEAR: _UNREADABLE,
    Case.ORDER_UNCONFIRMED: N_("The ONSS answered several at once; it is asked about each."),
    Case.MALFORMED: _UNREADABLE,
    Case.WEB_PAGE: _SOMEBODY_ELSE,
    Case.BAD_ITEM: REASONS[Reason.OTHER],
    Case.BAD_NEIGHBOUR: _ALONE,
    Case.BAD_REQUEST: _FORM,
    Case.TOKEN_EXPIRED: _CREDENTIAL,
    Case.TOKEN_REFUSED: _CREDENTIAL,
    Case.FORBIDDEN: _CREDENTIAL,
    Case.NOT_FOUND: N_("The ONSS's address is wrong, or it has moved."),
    Case.CALL_TOO_LARGE: _ALONE,
    Case.ITEM_TOO_LARGE: _FORM,
    Case.TOO_MANY: N_("The ONSS asks us to wait; it is sent again."),
    Case.UNAVAILABLE: N_("The ONSS's service is down; it is sent again."),
    Case.SERVER_ERROR: N_("The ONSS failed on it; it is being asked whether it has it."),
    Case.REDIRECT: _SOMEBODY_ELSE,
    Case.OTHER_STATUS: _SOMEBODY_ELSE,
    Case.NO_NAME: _NOT_REACHED,
    Case.CONNECTION_REFUSED: _NOT_REACHED,
    Case.UNREACHABLE: _NOT_REACHED,
    Case.TLS_FAILED: _NOT_REACHED,
    Case.CONNECT_TIMEOUT: _NOT_REACHED,
    Case.NOT_SENT: _NOT_REACHED,
    Case.NO_TOKEN: _NOT_REACHED,
    Case.TOKEN_DENIED: _CREDENTIAL,
    Case.ANSWER_TIMEOUT: _NO_ANSWER,
    Case.ANSWER_LOST: _NO_ANSWER,
    Case.ANSWER_TOO_LONG: _UNREADABLE,
    Case.FOUND: N_("The ONSS has it: it was found there."),
    Case.NOT_YET: N_("The ONSS does not show it yet; it is asked again."),
    Case.NOT_THERE: N_("The ONSS does not have it; it is sent again."),
    Case.SEARCH_FAILED: N_("The ONSS could not be asked about it; it is asked again."),
}
