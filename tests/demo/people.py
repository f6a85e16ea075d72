"""Who taps in the demo: plainly made up. The numbers are valid by their check digits only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    """An employer of the demo."""

    id: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Person:
    """A cleaner of the demo, with a badge; `tag` is what the emulator makes of it."""

    name: str
    language: str
    company: Company
    ssin: str
    uid: str
    tag: str


EXEMPLE = Company("exemple", "Nettoyage Exemple", "0123456749")
VOORBEELD = Company("voorbeeld", "Schoonmaak Voorbeeld", "0234567873")

ANNA = Person("Anna Exemple", "fr", EXEMPLE, "85010100115", "04A1B2C3D4E580", "ntag213")
BRAM = Person("Bram Voorbeeld", "nl", VOORBEELD, "90020200296", "DEADBEEF", "classic1k")
CARL = Person("Carl Beispiel", "de", EXEMPLE, "78030300314", "04D5E6F7A8B980", "type4")
DANA = Person("Dana Example", "en", VOORBEELD, "95040400456", "04112233445580", "ntag213")

PEOPLE = (ANNA, BRAM, CARL)
# Dana's badge is handed out before anybody enrols it.
LATE = DANA

DECLARATION = "1Y1000NF9KCQZ"
TERMINAL = "door-1"
