"""The journal: the one thing that must survive. Append-only, gapless, in one Merkle tree.

`Journal` is a chain of segments; `store.SegmentStore` is one segment's SQLite file.
"""

from ciao.journal.chain import Journal, Owner
from ciao.journal.files import StoreDamaged, StoreFailed
from ciao.journal.older import OlderSegment
from ciao.journal.store import Row

__all__ = ["Journal", "OlderSegment", "Owner", "Row", "StoreDamaged", "StoreFailed"]
