"""What people are told of what was deleted: at the tap, in lists, in the outlook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ciao.errors import BadInput
from ciao.texts import TRANSLATED
from gateway.cli import main
from gateway.correction.dossier import known
from gateway.explaining.story import Story
from gateway.ledger.custody import Custody
from gateway.ledger.deletions import Deletions
from gateway.ledger.history import history
from gateway.ledger.stamps import last_forgotten_ms, stamps_of
from gateway.retention.outlook import lines, outlook
from gateway.retention.rules import DAY_MS, Settings
from tests.gateway.house import make_house
from tests.gateway.test_retention import DAY_S, YEARS_5, YEARS_10, Keeper, stamped
from tests.gateway.twins import UID_NEW, Journal
from tests.gateway.world import TERMINAL, morning


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(make_house(tmp_path).folder)
    yield keeper
    keeper.close()


def told(keeper: Keeper, tap: int) -> list[str]:
    found = history(keeper.world.path, tap)
    assert found is not None
    return list(Story(found, lambda *_: None, str, raw=False).lines())


def now_ms(keeper: Keeper) -> int:
    return round(keeper.now.at.timestamp() * 1000)


def said(keeper: Keeper) -> list[str]:
    db = keeper.world.ledger._connection
    return list(lines(outlook(Deletions(db), Custody(db), Settings(), now_ms(keeper))))


def test_a_tap_tells_when_whose_it_was_was_deleted(keeper: Keeper) -> None:
    stamped(keeper)
    assert not any("deleted" in line for line in told(keeper, 1))
    keeper.wait(YEARS_5)
    after = "\n".join(told(keeper, 1))
    assert "deleted after its time, 2031-03-" in after
    assert "(its answer was deleted)" in after
    assert "declaration 1Y1000NF9KCQZ" in after


def test_a_tap_of_a_log_that_is_gone_is_still_told_and_no_change_can_be_asked_of_it(
    keeper: Keeper,
) -> None:
    stamped(keeper)
    keeper.wait(YEARS_10)
    second = Journal(TERMINAL, "0000000000000002")
    second.segment(YEARS_10 * DAY_S)
    keeper.world.run(second.message(), seconds=5)
    keeper.wait(1)
    assert any("deleted with its log" in line for line in told(keeper, 1))
    nobody: Any = None
    with pytest.raises(BadInput, match="deleted with its log"):
        known(keeper.world.ledger, nobody, 1)


def test_a_persons_list_ends_where_their_name_was_deleted(keeper: Keeper) -> None:
    stamped(keeper)
    assert len(stamps_of(keeper.world.path, "worker-ann", 10)) == 1
    assert last_forgotten_ms(keeper.world.path) is None
    keeper.wait(YEARS_5)
    assert stamps_of(keeper.world.path, "worker-ann", 10) == []
    assert last_forgotten_ms(keeper.world.path) is not None


def test_the_outlook_says_what_went_what_is_due_and_what_waits(keeper: Keeper) -> None:
    journal = morning([(UID_NEW, 1, "in")])
    keeper.world.run(journal.message(), seconds=5)
    assert "Nothing was deleted so far." in said(keeper)
    assert any("the next entries from 2031-03-02" in line for line in said(keeper))
    keeper.world.second += YEARS_5 * DAY_S
    assert any("payloads due now: 1" in line for line in said(keeper))
    keeper.wait(0.01)
    assert any(line.startswith("Over, and kept: 1, still open") for line in said(keeper))
    with keeper.world.ledger.transaction():
        keeper.world.ledger.care.decide("abandon", ["1"], "nobody's", 0)
    keeper.wait(1)
    assert any("1, changed less than 31 days ago" in line for line in said(keeper))
    keeper.wait(31)
    assert any(line.startswith("Payloads deleted so far: 1, last on ") for line in said(keeper))
    assert any("no payloads are left" in line for line in said(keeper))


def test_a_log_that_is_not_the_newest_tells_when_it_goes(keeper: Keeper) -> None:
    stamped(keeper)
    second = Journal(TERMINAL, "0000000000000002")
    second.segment(60)
    keeper.world.second += 60
    keeper.world.run(second.message(), seconds=5)
    db = keeper.world.ledger._connection
    first, newest = outlook(Deletions(db), Custody(db), Settings(), now_ms(keeper)).logs
    assert first.whole_ms is not None and newest.whole_ms is None
    assert 3652 < (first.whole_ms - now_ms(keeper)) / DAY_MS <= 3653


def run(keeper: Keeper, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--config", str(keeper.folder / "gateway.toml")])


def test_the_command_shows_it_and_deletes_nothing(keeper: Keeper) -> None:
    stamped(keeper)
    keeper.world.second += YEARS_5 * DAY_S
    told = json.loads(run(keeper, "retention", "--json").output)
    assert told["payload_days"] == 1826
    assert [log["terminal"] for log in told["logs"]] == [TERMINAL]
    result = run(keeper, "retention")
    assert result.exit_code == 0 and f"{TERMINAL}, log 5e9a0c0ffee0c1a0: " in result.output
    assert keeper.payloads() == [1, 2]


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_outlook_is_told_in_four_languages(keeper: Keeper, language: str) -> None:
    stamped(keeper)
    english = run(keeper, "retention", "--lang", "en").output.splitlines()
    theirs = run(keeper, "retention", "--lang", language).output.splitlines()
    assert len(english) == len(theirs) == 6
    assert [a for a, b in zip(english, theirs, strict=True) if a == b] == [""]


def test_one_whose_identity_was_deleted_is_not_let_go_by_anybody(keeper: Keeper) -> None:
    stamped(keeper)
    keeper.world.query("UPDATE tap SET state = 'withheld' WHERE id = 1")
    keeper.wait(YEARS_5)
    result = run(keeper, "acknowledge", "release", "1", "--why", "late")
    assert result.exit_code == 2
    assert "tap 1 can't be sent: whose it was was deleted" in result.output
    assert not any("acknowledge release" in line for line in told(keeper, 1))
    assert "Older stamps are nobody's" in run(keeper, "stamps", "worker-ann").output
