"""What a remark or a refusal seems to say, by known hints; what none fits stays open. Pure.

What the service writes into `notCreatedPresenceRegistration` and `remarks` is unknown. So words are
looked for, in its languages, and nothing is decided by them: the state is the service's own, the
code only says in which words a person is told, and the raw answer is kept sealed beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.onss.reasons import FIELDS, Reason

# The first that fits counts; spelled as one lower-case text without spaces, `_` and `-`.
_HINTS: tuple[tuple[Reason, str], ...] = (
    (
        Reason.NOT_DECLARED,
        r"dimona|(worker|person|employee)(is)?not(declared|employed|known)"
        r"|(travailleur|personne)(n.?estpas|non)(déclaré|connu)"
        r"|(werknemer|persoon)(is)?niet(aangegeven|bekend)",
    ),
    (
        Reason.NOT_ACTIVE,
        r"(declaration|works?|site|chantier|déclaration|werf|werkmelding|aangifte)"
        r".{0,40}(notactive|inactive|closed|ended|expired|notstarted|cancelled|notyetvalid"
        r"|clôturé|terminé|annulé|expiré|inactif|afgesloten|beëindigd|nietactief)",
    ),
    (
        Reason.NOT_IN_CHAIN,
        r"(in|of)(the)?chain|contractorchain|subcontract|(dans|de)lachaîne|soustrait"
        r"|(in|van)deketen|onderaannem",
    ),
    (Reason.TWICE, r"duplicate|already(registered|exists|known)|déjàenregistré|reedsgeregistreerd"),
    (
        Reason.TOO_LATE,
        r"too(late|old)|inthepast|tardi|troptard|telaat|deadline|(period|term)(is)?over",
    ),
)
# An item may be echoed, and a street be called anything; but `type` also names a kind of problem.
_ECHOED = FIELDS.keys() - {"type"}
_TEXTS_MAX = 200
_CHARS_MAX = 4_000


def hinted(raw: Any) -> Reason | None:
    """Return what some part of an answer seems to say; None where no hint fits."""
    told = _flat(" ".join(_texts(raw)))
    return next((reason for reason, words in _HINTS if re.search(words, told)), None)


def remarked(remarks: Sequence[Any]) -> Reason:
    """Return what the remarks of an accepted registration seem to say."""
    return hinted(list(remarks)) or Reason.REMARK


def _flat(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text[:_CHARS_MAX].lower())


def _texts(raw: Any) -> Iterator[str]:
    """Yield every text inside a value, its keys too, up to a limit."""
    waiting, count = [raw], 0
    while waiting and count < _TEXTS_MAX:
        one = waiting.pop(0)
        count += 1
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one.keys(), *(told for key, told in one.items() if key not in _ECHOED)]
        elif isinstance(one, list | tuple):
            waiting += one
