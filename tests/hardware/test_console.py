from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ciao.errors import BadInput
from ciao.reading import rfc3339
from ciao.registration import Direction
from hardware.clock import VirtualClock
from hardware.console import ConsolePanel, SocketButtons
from hardware.control import ask
from hardware.events import Pressed
from hardware.panel import Light, Receipt, Sound, StampShown, View
from tests.hardware.emulated import environment

RECORDED = View(
    Light.IN,
    Sound.IN,
    "Recorded: IN 06:02",
    ("Bonjour A. B.", "Stored here"),
    "fr",
    StampShown("example.be/ciao/door/1", 7, "in", Receipt.STORED_HERE),
)


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_every_view_is_a_line_and_the_stamp_it_promises_is_in_it(
    tmp_path: Path, clock: VirtualClock
) -> None:
    log, screen = tmp_path / "panel.jsonl", io.StringIO()
    panel = ConsolePanel(log, clock, screen)
    panel.show(View(Light.WAITING, Sound.NONE, "Choose IN or OUT"))
    clock.advance(1500)
    panel.show(RECORDED)
    panel.close()
    waiting, recorded, dark = lines(log)
    assert waiting["stamp"] is None
    assert recorded == {
        "event": "shown",
        "at": rfc3339(clock().at),
        "light": "in",
        "sound": "in",
        "headline": "Recorded: IN 06:02",
        "lines": ["Bonjour A. B.", "Stored here"],
        "language": "fr",
        "stamp": {
            "origin": "example.be/ciao/door/1",
            "seq": 7,
            "direction": "in",
            "receipt": "stored_here",
        },
    }
    assert dark["event"] == "dark"
    assert screen.getvalue().splitlines() == [
        "[WAITING] Choose IN or OUT",
        "[IN] Recorded: IN 06:02 (sound: in)",
        "    Bonjour A. B.",
        "    Stored here",
    ]


_SHOW_AND_DIE = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from hardware.clock import VirtualClock
from hardware.console import ConsolePanel
from hardware.panel import Light, Sound, View
panel = ConsolePanel(Path(sys.argv[1]), VirtualClock(datetime(2026, 3, 2, tzinfo=UTC)))
for n in range(100):
    panel.show(View(Light.IN, Sound.IN, str(n)))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_has_written_down_all_it_showed(tmp_path: Path) -> None:
    log = tmp_path / "panel.jsonl"
    died = subprocess.run(
        [sys.executable, "-c", _SHOW_AND_DIE, str(log)], env=environment(), check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert [line["headline"] for line in lines(log)] == [str(n) for n in range(100)]


def test_a_log_goes_on_where_it_ended_even_in_the_middle_of_a_line(
    tmp_path: Path, clock: VirtualClock
) -> None:
    log = tmp_path / "panel.jsonl"
    log.write_bytes(b'{"event":"shown"}\n{"event":"sho')
    panel = ConsolePanel(log, clock)
    panel.show(RECORDED)
    panel.close()
    whole, broken, *after = log.read_bytes().splitlines()
    assert (whole, broken) == (b'{"event":"shown"}', b'{"event":"sho')
    assert [json.loads(line)["event"] for line in after] == ["shown", "dark"]


def test_a_log_that_cannot_be_written_is_refused_with_a_hint(
    tmp_path: Path, clock: VirtualClock
) -> None:
    with pytest.raises(BadInput, match="can't write the panel's log"):
        ConsolePanel(tmp_path / "missing" / "panel.jsonl", clock)


def test_a_press_on_the_socket_is_a_press(tmp_path: Path, clock: VirtualClock) -> None:
    pressed: list[Pressed] = []
    buttons = SocketButtons(tmp_path / "buttons", pressed.append, clock)
    assert ask(tmp_path / "buttons", "press in") == "ok"
    assert ask(tmp_path / "buttons", " press out ") == "ok"
    for wrong in ("press", "press up", "IN", "", "press in out"):
        answer = ask(tmp_path / "buttons", wrong)
        assert answer.endswith("is no button; say 'press in' or 'press out'")
    buttons.close()
    assert pressed == [Pressed(Direction.IN, clock()), Pressed(Direction.OUT, clock())]
    assert "buttons" not in os.listdir(tmp_path)
