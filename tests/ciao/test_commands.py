"""Every command ends bad input in one line `error:`, one line `hint:`, and exit status 2."""

from __future__ import annotations

import io

import click
import pytest
from click.testing import CliRunner

from ciao.commands import Commands
from ciao.errors import EXIT_BAD_INPUT, BadInput, report


@click.group(cls=Commands, name="ciao-example")
def example() -> None:
    """An example."""


@example.command()
@click.option("--count", type=click.IntRange(1, 3), default=1)
@click.argument("what")
def do(count: int, what: str) -> int | None:
    """Do something."""
    if what == "bad":
        raise BadInput("what was given\nis bad", "give\n something else")
    if what == "stop":
        raise click.Abort
    if what == "file":
        raise click.ClickException("A file is broken.")
    if what == "fails":
        return 1
    click.echo(f"did {what} {count} times")
    return None


def run(
    capsys: pytest.CaptureFixture[str], *args: str, name: str = "ciao-example"
) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        example.main(list(args), prog_name=name)
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def test_what_works_exits_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "do", "it", "--count", "2") == (0, "did it 2 times\n", "")


def test_a_command_may_fail_by_its_own_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "do", "fails") == (1, "", "")


def test_bad_input_is_two_lines_and_two(capsys: pytest.CaptureFixture[str]) -> None:
    lines = "error: what was given is bad\nhint: give something else\n"
    assert run(capsys, "do", "bad") == (EXIT_BAD_INPUT, "", lines)


@pytest.mark.parametrize(
    ("args", "error", "hint"),
    [
        (["dance"], "No such command 'dance'", "'ciao-example --help'"),
        (["do"], "Missing argument 'WHAT'", "'ciao-example do --help'"),
        (["do", "it", "--count", "9"], "Invalid value for '--count'", "'ciao-example do --help'"),
        (["do", "it", "--loud"], "No such option", "'ciao-example do --help'"),
        (["do", "file"], "A file is broken", "--help"),
    ],
)
def test_clicks_own_refusals_have_the_same_form(
    capsys: pytest.CaptureFixture[str], args: list[str], error: str, hint: str
) -> None:
    status, out, err = run(capsys, *args)
    first, second = err.splitlines()
    assert (status, out) == (EXIT_BAD_INPUT, "")
    assert first.startswith("error: ")
    assert error in first
    assert second.startswith("hint: ")
    assert hint in second


def test_help_is_not_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--help")
    assert status == 0
    assert "An example." in out


def test_an_interrupted_command_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "do", "stop") == (130, "", "")


def test_a_report_is_one_line_each_whatever_is_in_it() -> None:
    stream = io.StringIO()
    assert report(BadInput("a\n\tb", "c\r\nd"), stream) == EXIT_BAD_INPUT
    assert stream.getvalue() == "error: a b\nhint: c d\n"


def test_a_list_of_commands_shows_whole_sentences_and_imports_what_was_left_for_later() -> None:
    sentence = "Say a thing that is long enough to be cut, since it goes on and on to the end."

    @click.command(help=sentence)
    def at_once() -> None:
        """Nothing."""

    later = {"export": "ciao.verifier.cli:command"}
    group = Commands("tool", commands={"at-once": at_once}, later=later)
    shown = " ".join(CliRunner().invoke(group, ["--help"]).output.split())
    assert sentence in shown
    assert "export Check an evidence bundle" in shown
