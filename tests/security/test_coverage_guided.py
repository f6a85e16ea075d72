"""The hunt's own tool, without atheris: what it keeps is replayed, and what it lacks it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from ciao.errors import BadInput
from tests.security.coverage_guided.__main__ import main
from tests.security.coverage_guided.hunting import hunt, slug
from tests.security.readers import READERS
from tests.security.readers.reader import Reader


def fragile(raw: bytes) -> None:
    if raw.startswith(b"["):
        raise KeyError("nobody thought of this")
    if not raw:
        raise BadInput("nothing was given", "give something")


ONE = {"a fragile one": Reader(fragile, (BadInput,), b"good")}


def kept(folder: Path, content: bytes) -> Path:
    path = folder / "crash-1"
    path.write_bytes(content)
    return path


def test_a_kept_crash_is_a_crash_again(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        main(["a fragile one", "--replay", str(kept(tmp_path, b"[x"))], ONE)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "refused in its own words, BadInput: nothing"), (b"good", "taken")]
)
def test_what_no_longer_crashes_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    assert main(["a fragile one", "--replay", str(kept(tmp_path, content))], ONE) == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["nobody"], "there is no reader 'nobody'"),
        (["batch", "note", "--replay", "x"], "a file is replayed by one reader"),
        (["batch", "--replay", "nowhere"], "can't read nowhere"),
        (["batch", "--seconds", "0"], "no time to hunt in"),
    ],
)
def test_bad_input_gets_two_lines(
    capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    assert main(words) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: {what}") and hint.startswith("hint: ")


def test_where_atheris_is_missing_the_line_that_installs_it_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["batch", "--corpus", str(tmp_path)], tool="atheris_that_is_not_here") == 2
    assert "pip install atheris==" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_each_reader_has_a_folder_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert len({slug(name) for name in READERS}) == len(READERS)
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.splitlines() == list(READERS)


def test_a_hunt_that_can_not_begin_is_no_hunt_that_found_nothing(tmp_path: Path) -> None:
    """The child knows no such reader, or has no atheris: either way it ends with an error."""
    found = hunt("a fragile one", ONE["a fragile one"], tmp_path, 1)
    assert found.executions == 0 and "Error" in found.failed
