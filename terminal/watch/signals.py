"""What the terminal knows of itself, in the words of `ciao.causes.PROBES`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ciao.entries import Part
from ciao.reading import Reading

# A gateway that is there and answers nothing: as long as a batch waits, and half of it again.
SILENT_MS = 15_000


@dataclass(frozen=True, slots=True)
class Signals:
    """How the terminal's own parts are, without asking anybody.

    `session` is `ok`, `down` or `refused`. `gateway`: whether one says that it is there.
    `unanswered_ms`: how long what was sent waits for a receipt; None where nothing does.
    """

    reader: bool
    disk: bool
    room: bool
    session: str
    gateway: bool
    unanswered_ms: int | None

    @property
    def line(self) -> dict[str, str]:
        """What is known of the way to the gateway."""
        said = {"mqtt": self.session}
        if self.session != "ok":
            # Without a session nobody can tell how the gateway is.
            return said
        silent = self.unanswered_ms is not None and self.unanswered_ms >= SILENT_MS
        return {**said, "gateway": "offline" if not self.gateway else "silent" if silent else "ok"}

    def words(self, now: Reading) -> dict[str, str]:
        """Return everything that is known, the clock included."""
        return {
            "reader": "ok" if self.reader else "fault",
            "disk": "ok" if self.disk else "fault" if self.room else "full",
            "clock": "ok" if now.clock.synced else "unsynced",
            **self.line,
        }


def works(seen: dict[str, str]) -> dict[Part, bool]:
    """Turn what was seen of the surroundings into a heartbeat's parts; unknown stays away."""
    parts: tuple[Part, ...] = ("link", "mains", "voltage")
    return {part: seen[part] == "ok" for part in parts if part in seen}
