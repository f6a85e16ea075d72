"""What the journal said before this start: what was open, how the terminal had stopped. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ciao.entries import Entry, Heartbeat, MaintenanceBegin, MaintenanceEnd, Part, Shutdown
from ciao.reading import Reading, parse_rfc3339

# Two minutes of a crowd; a heartbeat comes each minute.
LOOKED_BACK_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Past:
    """The newest entries of a journal, oldest first, from the newest heartbeat on."""

    entries: tuple[Entry, ...] = ()
    maintenance: bool = False
    works: dict[Part, bool] = field(default_factory=dict)

    @property
    def newest(self) -> Entry | None:
        """The last thing that was said."""
        return self.entries[-1] if self.entries else None

    def stop(self, now: Reading) -> dict[str, str]:
        """Say how the terminal stopped, as probes; what feeds it by its newest heartbeat."""
        newest = self.newest
        if newest is None:
            return {}
        said = {
            "stop": "clean" if isinstance(newest, Shutdown) else "unclean",
            "machine": "same" if newest.boot == now.boot else "restarted",
        }
        for part, failing in (("mains", "lost"), ("voltage", "low")):
            if part in self.works:
                said[part] = "ok" if self.works[part] else failing
        return said

    def silent_ms(self, now: Reading) -> int | None:
        """Say how long nothing was written; None where no clock can tell."""
        newest = self.newest
        if newest is None:
            return 0
        if newest.boot == now.boot:
            return max(now.up_ms - newest.up_ms, 0)
        if not (newest.clock.synced and now.clock.synced):
            return None
        return max(int((now.at - parse_rfc3339(newest.at)).total_seconds() * 1000), 0)


def read(newest_first: Iterable[Entry]) -> Past:
    """Read back to the newest heartbeat, which names what was open then."""
    found: list[Entry] = []
    for entry in newest_first:
        found.append(entry)
        if isinstance(entry, Heartbeat) or len(found) == LOOKED_BACK_MAX:
            break
    found.reverse()
    maintenance, works = False, dict[Part, bool]()
    for entry in found:
        match entry:
            case Heartbeat():
                maintenance, works = entry.maintenance, dict(entry.works)
            case MaintenanceBegin():
                maintenance = True
            case MaintenanceEnd():
                maintenance = False
    return Past(tuple(found), maintenance, works)
