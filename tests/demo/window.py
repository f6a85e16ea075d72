"""The demo to play in: choose IN or OUT, lay a badge, cut the network, watch the tap travel."""

from __future__ import annotations

import curses
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from ciao.journal import StoreFailed
from ciao.journal.peek import peek
from tests.demo.people import LATE, PEOPLE, Person
from tests.demo.world import World

HELD_S = 0.6
REFRESH_MS = 100
TAPS_SHOWN = 12
BADGES = (*PEOPLE, LATE)
_LIGHTS = {"in": 1, "out": 2, "refused": 3, "fault": 3, "waiting": 4, "off": 0}
_DONE, _WAITS = "●", "○"


@dataclass(slots=True)
class _Play:
    """What the window remembers beside what it reads from the world."""

    world: World
    said: str = ""
    lift_at_s: float | None = None
    who: dict[tuple[str, int], str] = field(default_factory=dict)
    last: Person | None = None


def run(world: World) -> int:
    """Open the world, play until `q`, end the world; return the exit status."""
    if not sys.stdout.isatty():
        print("error: the demo needs a terminal window", file=sys.stderr)
        print("hint: ./dev demo --once plays without one", file=sys.stderr)
        return 2
    try:
        world.open(PEOPLE)
        curses.wrapper(_loop, _Play(world))
    except KeyboardInterrupt:
        pass
    finally:
        world.close()
    return 0


def _loop(screen: curses.window, play: _Play) -> None:
    curses.curs_set(0)
    curses.use_default_colors()
    for number, (ink, paper) in enumerate(
        [
            (curses.COLOR_WHITE, curses.COLOR_BLUE),
            (curses.COLOR_BLACK, curses.COLOR_YELLOW),
            (curses.COLOR_WHITE, curses.COLOR_RED),
            (curses.COLOR_BLACK, curses.COLOR_CYAN),
        ],
        1,
    ):
        curses.init_pair(number, ink, paper)
    screen.timeout(REFRESH_MS)
    while True:
        _draw(screen, play)
        key = screen.getch()
        if key == ord("q"):
            return
        _obey(key, play)
        if play.lift_at_s is not None and time.monotonic() >= play.lift_at_s:
            play.world.lift()
            play.lift_at_s = None


def _obey(key: int, play: _Play) -> None:
    world = play.world
    letter = chr(key) if 0 < key < 256 else ""
    if letter in ("i", "o"):
        world.press("in" if letter == "i" else "out")
    elif letter in "1234"[: len(BADGES)] and letter and play.lift_at_s is None:
        play.last = BADGES[int(letter) - 1]
        world.lay(play.last)
        play.lift_at_s = time.monotonic() + HELD_S
    elif letter == "n":
        (world.wire.cut if world.wire.whole else world.wire.mend)()
    elif letter == "g":
        if world.gateway.running:
            world.gateway.kill()
        else:
            world.start_gateway()
    elif letter == "e":
        try:
            world.office.add_person(LATE)
            play.said = f"{LATE.name}'s badge is enrolled: waiting taps go on"
        except AssertionError:
            play.said = f"{LATE.name}'s badge is enrolled already"


def _draw(screen: curses.window, play: _Play) -> None:
    world, views = play.world, play.world.views()
    for identity in world.promised():
        play.who.setdefault(identity, play.last.name if play.last else "")
    screen.erase()
    network = "whole" if world.wire.whole else "CUT"
    gateway = "up" if world.gateway.running else "KILLED"
    _put(screen, 0, 2, "CIaO demo", curses.A_BOLD)
    _put(screen, 0, 16, f"network: {network}   gateway: {gateway}   {world.broker_name}")
    _draw_panel(screen, views[-1] if views else {})
    _draw_travel(screen, play)
    badges = "   ".join(f"{n} {person.name}" for n, person in enumerate(BADGES, 1))
    _put(screen, 24, 2, f"i IN   o OUT   then a badge:   {badges}", curses.A_BOLD)
    cut = "n cut or mend the network   g kill or start the gateway"
    _put(screen, 25, 2, f"{cut}   e enrol {LATE.name}   q quit")
    _put(screen, 26, 2, play.said, curses.A_DIM)
    screen.refresh()


def _draw_panel(screen: curses.window, view: dict[str, Any]) -> None:
    colour = curses.color_pair(_LIGHTS.get(view.get("light", "off"), 0)) | curses.A_BOLD
    width = 58
    lines = [view.get("headline", ""), *view.get("lines", [])]
    for row in range(5):
        text = lines[row] if row < len(lines) else ""
        _put(screen, 2 + row, 2, f"  {text}".ljust(width), colour)
    _put(
        screen, 7, 2, f"light {view.get('light', '')}, sound {view.get('sound', '')}", curses.A_DIM
    )


def _draw_travel(screen: curses.window, play: _Play) -> None:
    _put(screen, 9, 2, "shown    who                on disk   received   ONSS", curses.A_UNDERLINE)
    size, settled, states = _far(play.world)
    shown = {}
    for view in play.world.views():
        if view.get("stamp"):
            shown[view["stamp"]["origin"], view["stamp"]["seq"]] = view["headline"]
    for row, (identity, headline) in enumerate(list(shown.items())[-TAPS_SHOWN:]):
        _, seq = identity
        disk = _DONE if seq < size else _WAITS
        received = _DONE if seq < settled else _WAITS
        state = states.get(identity, "")
        line = f"{headline:<8} {play.who.get(identity, ''):<18} {disk:^9} {received:^9}  {state}"
        _put(screen, 10 + row, 2, line)


def _far(world: World) -> tuple[int, int, dict[tuple[str, int], str]]:
    """How far things are: the journal's size, what is settled, and each tap's state."""
    try:
        seen = peek(world.terminal_folder / "state" / "journal")
    except StoreFailed:
        seen = None
    db = sqlite3.connect(f"file:{world.ledger}?mode=ro", uri=True)
    try:
        rows = db.execute("SELECT first_origin, first_seq, state FROM tap").fetchall()
    except sqlite3.Error:
        rows = []
    finally:
        db.close()
    states = {(origin, seq): state for origin, seq, state in rows}
    return (seen.size, seen.settled, states) if seen else (0, 0, states)


def _put(screen: curses.window, row: int, column: int, text: str, look: int = 0) -> None:
    height, width = screen.getmaxyx()
    if row < height and column < width - 1:
        screen.addnstr(row, column, text, width - column - 1, look)
