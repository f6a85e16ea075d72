"""Settings: which key, which line, and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from ciao import settings
from ciao.errors import BadInput


class Broker(Struct, forbid_unknown_fields=True, frozen=True):
    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883


class Reader(Struct, forbid_unknown_fields=True, frozen=True):
    device: str
    direction: Literal["in", "out"] | None = None


class Settings(Struct, forbid_unknown_fields=True, frozen=True, rename="kebab"):
    terminal: str
    broker: Broker
    readers: list[Reader] = []
    mode: Literal["buttons", "lanes"] = "buttons"
    data_dir: str = "/var/lib/ciao"
    standby: Broker | None = None
    anchors: dict[str, Broker] = {}


GOOD = """\
# a terminal
terminal = "hall-3"
mode = "lanes"

[broker]
host = "localhost"
port = 8883

[[readers]]
device = "tty:S0:pn532"
direction = "in"
"""


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(BadInput) as error:
        settings.parse(Settings, text, "terminal.toml")
    return error.value.what, error.value.hint


def test_good_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "terminal.toml"
    path.write_text(GOOD)
    read = settings.load(Settings, path)
    assert read.broker == Broker("localhost", 8883)
    assert read.readers == [Reader("tty:S0:pn532", "in")]
    assert read.data_dir == "/var/lib/ciao"


@pytest.mark.parametrize(
    ("line", "instead", "what", "hint"),
    [
        ('mode = "lanes"', 'mood = "lanes"', "line 3: unknown key 'mood'", "mode, readers"),
        ('mode = "lanes"', 'mode = "lane"', "line 3: 'mode' is not allowed", "'lane'"),
        ('mode = "lanes"', "mode = 3", "line 3: 'mode' is not allowed", "expected `str`"),
        ('mode = "lanes"', 'data_dir = "x"', "line 3: unknown key 'data_dir'", "data-dir"),
        ('terminal = "hall-3"\n', "", "the key 'terminal' is missing", "add terminal = …"),
        ("port = 8883", 'port = "8883"', "line 7: 'broker.port' is not allowed", "expected `int`"),
        ("port = 8883", "port = 0", "line 7: 'broker.port' is not allowed", ">= 1"),
        ("port = 8883", "port = 65536", "line 7: 'broker.port' is not allowed", "<= 65535"),
        ("port = 8883", "prt = 1", "line 7: unknown key 'broker.prt'", "host, port"),
        ('host = "localhost"\n', "", "the key 'broker.host' is missing", "add host = …"),
        ('direction = "in"', 'direction = "up"', "line 11: 'readers[0].direction'", "'up'"),
        ('direction = "in"', "lane = 1", "line 11: unknown key 'readers[0].lane'", "device, dir"),
        ("terminal =", "terminal", "not TOML", "example"),
    ],
)
def test_the_key_its_line_and_what_is_allowed_are_named(
    line: str, instead: str, what: str, hint: str
) -> None:
    assert line in GOOD
    said, hinted = refused(GOOD.replace(line, instead))
    assert said.startswith("terminal.toml")
    assert what in said
    assert hint in hinted


def test_inside_an_optional_table_too() -> None:
    said, hinted = refused(GOOD + '[standby]\nhost = "x"\nhots = "y"\n')
    assert "line 14: unknown key 'standby.hots'" in said
    assert hinted == "allowed here: host, port"


def test_inside_a_table_of_tables_too() -> None:
    said, hinted = refused(GOOD + '[anchors.one]\nhost = "x"\nhots = "y"\n')
    assert "unknown key 'anchors[...].hots'" in said
    assert "line 14" in said
    assert hinted == "allowed here: host, port"


def test_the_second_of_two_tables_is_told_from_the_first() -> None:
    second = '[[readers]]\ndevice = "tty:S1:pn532"\ndirection = "up"\n'
    assert "line 14: 'readers[1].direction'" in refused(GOOD + second)[0]


def test_a_table_on_one_line_is_found_too() -> None:
    text = 'terminal = "x"\nbroker = {host = "x", prt = 1}\n'
    assert "line 2: unknown key 'broker.prt'" in refused(text)[0]


def test_a_table_where_a_value_should_be_is_found_too() -> None:
    text = GOOD.replace('mode = "lanes"', "") + "[mode]\n"
    assert "line 12: 'mode' is not allowed" in refused(text)[0]


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "terminal.toml"
    with pytest.raises(BadInput, match="can't read") as error:
        settings.load(Settings, path)
    assert "--config" in error.value.hint
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="can't read"):
        settings.load(Settings, path)
    with pytest.raises(BadInput, match="can't read"):
        settings.load(Settings, tmp_path)


pieces = st.sampled_from(
    ["[broker]", "[[readers]]", "[a.b]", "mode = 1", 'host = "x"', "port = 0", "x = [1]", "=", "]"]
)


@given(st.text(max_size=200) | st.lists(pieces, max_size=8).map("\n".join))
def test_whatever_is_in_the_file_it_is_read_or_refused(text: str) -> None:
    try:
        settings.parse(Settings, text, "terminal.toml")
    except BadInput as error:
        assert error.what
        assert error.hint
