"""Each rule, shown a module that breaks it and one that doesn't: a rule that can't fail is none."""

from __future__ import annotations

import pytest

from tests.house import rules
from tests.house.source import Module


def module(path: str, text: str) -> Module:
    return Module(path, text)


CONSTRUCTED = {"ciao.mqtt.Link"}


def construction(held: Module) -> list[str]:
    return list(rules.construction(held, CONSTRUCTED))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (rules.layers, "ciao/a.py", "import terminal.step"),
        (rules.layers, "ciao/a.py", "def f():\n    from gateway import ledger"),
        (rules.layers, "gateway/a.py", "from hardware.reader import Reader"),
        (rules.layers, "gateway/a.py", "from terminal import step"),
        (rules.layers, "terminal/a.py", "import provisioning"),
        (rules.layers, "hardware/a.py", "from tests.support import waiting"),
        (rules.edges, "ciao/a.py", "import time\nx = time.monotonic()"),
        (rules.edges, "ciao/a.py", "from time import time as now\nx = now"),
        (rules.edges, "ciao/a.py", "from datetime import datetime\nx = datetime.now()"),
        (rules.edges, "ciao/a.py", "import datetime as d\nx = d.datetime.now(d.UTC)"),
        (rules.edges, "ciao/a.py", "import os\nx = os.urandom(8)"),
        (rules.edges, "ciao/a.py", "from secrets import token_bytes"),
        (rules.edges, "ciao/a.py", "import paho.mqtt.client"),
        (rules.edges, "ciao/a.py", "import sqlite3\nx = sqlite3.connect(':memory:')"),
        (rules.edges, "ciao/a.py", '"""Not an Edge: here."""\nimport threading'),
        (construction, "ciao/a.py", "from ciao.mqtt import Link as L\nx = L()"),
        (construction, "ciao/a.py", "from ciao import mqtt\nx = mqtt.Link()"),
        (rules.sql, "gateway/a.py", "x = 'SELECT a FROM b'"),
        (rules.sql, "gateway/a.py", "x = f'''\n  insert or ignore into {b} values (1)'''"),
        (rules.sql, "gateway/a.py", "x = 'PRAGMA synchronous=OFF'"),
        (rules.exceptions, "gateway/a.py", "try:\n    f()\nexcept Exception as e:\n    pass"),
        (rules.exceptions, "gateway/a.py", "try:\n    f()\nexcept:\n    pass"),
        (rules.exceptions, "gateway/a.py", "try:\n    f()\nexcept (OSError, Exception):\n    pass"),
        (rules.zones, "gateway/a.py", "x = at.astimezone().isoformat()"),
        (rules.size, "ciao/a.py", "x = 1\n" * 401),
        (rules.size, "ciao/a.py", "def f():\n" + "    x = 1\n" * 60),
        (rules.sleeps, "tests/a.py", "import time\ntime.sleep(1)"),
        (rules.sleeps, "tests/a.py", "from time import sleep as nap\nnap(1)"),
        (rules.mocks, "tests/a.py", "from unittest.mock import patch"),
        (rules.mocks, "tests/a.py", "from unittest import mock"),
        (rules.unfinished, "ciao/a.py", "x = 1  # TO" + "DO later"),
        (rules.unfinished, "ciao/a.py", "def f():\n    raise NotImplementedError"),
    ],
)
def test_a_rule_catches(rule: rules.Rule, path: str, text: str) -> None:
    assert list(rule(module(path, text)))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (rules.layers, "terminal/a.py", "import ciao.journal, hardware.reader, terminal.step"),
        (rules.layers, "ciao/a.py", "import ciao_other, json"),
        (rules.edges, "ciao/a.py", '"""Edge: the clock."""\nimport time\nx = time.monotonic()'),
        (rules.edges, "ciao/cli.py", "import threading"),
        (rules.edges, "ciao/a.py", "from datetime import datetime\nx = datetime(2026, 1, 1)"),
        (rules.edges, "ciao/a.py", "import sqlite3\ndef f(db: sqlite3.Connection): ..."),
        (
            rules.edges,
            "ciao/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import threading",
        ),
        (construction, "ciao/cli.py", "from ciao.mqtt import Link\nx = Link()"),
        (construction, "ciao/a.py", "from ciao.mqtt import Link\ndef f(link: Link): ..."),
        (rules.sql, "gateway/ledger.py", "x = 'SELECT a FROM b'"),
        (rules.sql, "gateway/ledger/claims.py", "x = 'SELECT a FROM b'"),
        (rules.sql, "gateway/a.py", "x = 'select one of the badges'"),
        (rules.sql, "gateway/a.py", '"""Update the outcome set by the ONSS."""'),
        (rules.exceptions, "gateway/supervisor.py", "try:\n    f()\nexcept Exception:\n    pass"),
        (rules.exceptions, "gateway/a.py", "try:\n    f()\nexcept OSError:\n    pass"),
        (
            rules.exceptions,
            "gateway/a.py",
            "try:\n    f()\nexcept BaseException:\n    g()\n    raise",
        ),
        (rules.zones, "gateway/a.py", "x = at.astimezone(UTC)"),
        (rules.size, "ciao/a.py", "x = 1\n" * 400),
        (rules.unfinished, "ciao/a.py", "x = 'TO" + "DO'"),
    ],
)
def test_a_rule_lets_pass(rule: rules.Rule, path: str, text: str) -> None:
    assert list(rule(module(path, text))) == []


def test_an_edge_is_made_by_its_classes_but_not_by_its_values_and_errors() -> None:
    text = (
        '"""Edge: x."""\nfrom dataclasses import dataclass\n'
        "class Link: ...\n@dataclass\nclass Settings: ...\nclass LinkError(Exception): ...\n"
    )
    assert list(rules.constructors_of(module("ciao/mqtt.py", text))) == ["ciao.mqtt.Link"]


def test_a_heavy_import_of_the_tap_process_is_found_through_others_and_the_way_is_named() -> None:
    texts = {
        "terminal/program.py": "from terminal import step",
        "terminal/__init__.py": "",
        "terminal/step.py": "import ciao.errors as e",
        "ciao/__init__.py": "",
        "ciao/errors.py": "def f():\n    import click.testing",
        "ciao/unused.py": "import structlog",
    }
    known = {m.name: m for m in (module(path, text) for path, text in texts.items())}
    found = list(rules.tap_imports("terminal.program", known, rules.NOT_WHILE_TAPPING))
    assert len(found) == 1
    assert found[0].startswith("terminal.program -> terminal.step -> ciao.errors -> click: ")
