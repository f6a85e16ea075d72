"""The gateway's ledger: what it holds in custody and what became of it. All its SQL is here."""

from gateway.ledger.ledger import Ledger
from gateway.ledger.store import LedgerFailed, migrate

__all__ = ["Ledger", "LedgerFailed", "migrate"]
