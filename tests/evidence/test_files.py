"""The folder: each file altered, removed or added; the command, what it says and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ciao.evidence import lines
from ciao.notes import NOTE_SIZE_MAX
from ciao.verifier.cli import command
from tests.evidence.altering import edited
from tests.evidence.bundles import Memory, asked, rebuilt, write
from tests.evidence.making import POLICY_TEXT, honest

RUN = [sys.executable, "-c", "from ciao.verifier.cli import main; main()"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    write(honest(), folder)
    return folder


@pytest.fixture
def bundle(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def run(bundle: Path, *options: str, policy: str = POLICY_TEXT) -> subprocess.CompletedProcess[str]:
    keys = bundle.parent / "policy.txt"
    keys.write_text(policy)
    words = [*RUN, str(bundle), "--keys", str(keys), *options]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def codes(bundle: Path, *options: str) -> set[str]:
    keys = bundle.parent / "policy.txt"
    keys.write_text(POLICY_TEXT)
    words = [str(bundle), "--keys", str(keys), "--json", *options]
    done = CliRunner().invoke(command, words, standalone_mode=False)
    said = json.loads(done.stdout)
    assert said["holds"] == (done.return_value == 0)
    return {one["code"] for one in said["fails"]}


def test_an_honest_bundle_ends_with_0_and_says_what_holds_and_what_cannot_be_known(
    bundle: Path,
) -> None:
    done = run(bundle)
    assert done.returncode == 0, done.stdout
    assert "complete from" in done.stdout
    assert "cosigned by north" in done.stdout
    assert "Whether the site has other terminals" in done.stdout
    assert "DOES NOT HOLD" not in done.stdout


def test_each_file_altered_is_not_the_one_that_the_manifest_names(bundle: Path) -> None:
    for name in lines.read_manifest((bundle / lines.MANIFEST).read_bytes()).files:
        content = (bundle / name).read_bytes()
        (bundle / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert "file_altered" in codes(bundle), name
        (bundle / name).write_bytes(content)


def test_each_file_removed_is_missed(bundle: Path) -> None:
    for name in lines.read_manifest((bundle / lines.MANIFEST).read_bytes()).files:
        content = (bundle / name).read_bytes()
        (bundle / name).unlink()
        assert "file_missing" in codes(bundle), name
        (bundle / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (lines.ROWS, "end"),
        (lines.CHECKPOINTS, "fresh"),
        (lines.TABLE, "table"),
        (lines.KEYS, "file_missing"),
        (lines.README, "file_missing"),
    ],
)
def test_a_file_removed_from_the_manifest_too_is_missed_all_the_same(
    bundle: Path, name: str, code: str
) -> None:
    (bundle / name).unlink()
    rebuilt(bundle)
    assert {code, "file_missing"} <= codes(bundle)


def test_every_binding_removed_from_the_manifest_too_is_missed(bundle: Path) -> None:
    for path in (bundle / lines.BINDINGS).glob("*.note"):
        path.unlink()
    rebuilt(bundle)
    assert "certificate" in codes(bundle)


def test_what_explains_the_bundle_proves_nothing_and_may_say_anything(bundle: Path) -> None:
    for name in (lines.README, lines.KEYS):
        (bundle / name).write_text("trust me\n")
    rebuilt(bundle)
    assert codes(bundle) == set()


def test_a_file_more_is_seen(bundle: Path) -> None:
    (bundle / "statement.txt").write_text("he was never here")
    assert codes(bundle) == {"file_unnamed"}
    rebuilt(bundle)
    said = json.loads(run(bundle, "--json").stdout)
    assert "statement.txt" in str([one for one in said["unknown"] if one["code"] == "attachment"])


def test_a_link_and_a_name_that_leaves_the_folder_are_no_files_of_it(bundle: Path) -> None:
    outside = bundle.parent / "outside"
    outside.write_bytes((bundle / lines.README).read_bytes())
    (bundle / lines.README).unlink()
    os.symlink(outside, bundle / lines.README)
    assert "file_missing" in codes(bundle)
    manifest = (bundle / lines.MANIFEST).read_bytes()
    (bundle / lines.MANIFEST).write_bytes(manifest.replace(b'"README"', b'"../outside"'))
    assert "file_missing" in codes(bundle)


@pytest.mark.parametrize("name", [lines.ROWS, lines.CHECKPOINTS])
def test_a_line_with_a_field_more_or_in_another_spelling_is_no_line(
    bundle: Path, name: str
) -> None:
    content = (bundle / name).read_bytes()
    for changed in (content.replace(b"{", b'{"a":1,', 1), content.replace(b":", b": ", 1)):
        (bundle / name).write_bytes(changed)
        rebuilt(bundle)
        assert "form" in codes(bundle)


def test_rows_changed_with_table_and_manifest_made_to_fit_fail_by_the_tree(bundle: Path) -> None:
    memory = Memory.read(bundle)
    at = next(i for i, row in enumerate(memory.entries) if '"direction":"out"' in row.leaf)
    memory.entries[at] = edited(memory.entries[at], direction="in")
    (bundle / lines.ROWS).write_bytes(b"".join(map(lines.encode, memory.entries)))
    (bundle / lines.TABLE).write_text("".join(memory.made_table()), newline="")
    rebuilt(bundle)
    done = run(bundle)
    assert done.returncode == 1
    assert "do not lead to the root" in done.stdout
    assert "THIS BUNDLE DOES NOT HOLD" in done.stdout


def test_what_is_not_a_bundle_or_not_a_policy_gets_two_lines_and_exit_2(
    bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = run(tmp_path / "empty")
    assert (done.returncode, done.stderr.count("\n")) == (2, 2)
    for policy in (
        "",
        "quorum north\n",
        POLICY_TEXT.replace("quorum north", "quorum nobody"),
        POLICY_TEXT.replace("provisioning", "log"),
        POLICY_TEXT + "witness north2 nonsense\n",
        POLICY_TEXT + "group g 3 north outside\n",
        POLICY_TEXT + "\ufeff\x00\n",
    ):
        done = run(bundle, policy=policy)
        assert (done.returncode, done.stdout) == (2, ""), policy
        assert done.stderr.startswith("error: ")
        assert "\nhint: " in done.stderr


def test_a_quorum_that_nobody_reached_fails(bundle: Path) -> None:
    done = run(bundle, "--json", policy=POLICY_TEXT.replace("quorum north", "quorum all-of-them"))
    assert "quorum" in {one["code"] for one in json.loads(done.stdout)["fails"]}


def test_the_inspector_may_demand_more_than_the_bundle_claims(bundle: Path) -> None:
    assert codes(bundle, "--until", "2026-03-02T06:40+01:00") == set()
    assert codes(bundle, "--until", "2026-03-02T18:00+01:00") == {"asked"}
    assert codes(bundle, "--from", "2026-03-01T18:00+01:00") == {"asked"}


def test_what_lies_under_bindings_and_is_no_binding_is_seen(bundle: Path) -> None:
    (bundle / lines.BINDINGS / "story").write_bytes(b"x" * (NOTE_SIZE_MAX + 1))
    rebuilt(bundle)
    assert codes(bundle) == {"form"}


def test_a_folder_that_is_a_link_is_no_folder_of_it(bundle: Path) -> None:
    os.symlink(bundle.parent, bundle / "more")
    assert codes(bundle) == {"file_unnamed"}


@pytest.mark.parametrize(
    "name", ["bindings/\0", "bindings/" + "a" * 300, "a" * 300, "report.pdf/x"]
)
def test_a_name_that_no_file_can_have_is_a_missing_file(bundle: Path, name: str) -> None:
    manifest = lines.read_manifest((bundle / lines.MANIFEST).read_bytes())
    manifest.files[name] = lines.FileName(1, "0" * 64)
    (bundle / lines.MANIFEST).write_bytes(lines.encode(manifest))
    assert "file_missing" in codes(bundle)


@pytest.mark.parametrize("name", [lines.ROWS, lines.CHECKPOINTS, "bindings/x", "timestamps/x.json"])
def test_a_pipe_is_no_file_and_not_waited_for(bundle: Path, name: str) -> None:
    (bundle / name).unlink(missing_ok=True)
    (bundle / name).parent.mkdir(exist_ok=True)
    os.mkfifo(bundle / name)
    manifest = lines.read_manifest((bundle / lines.MANIFEST).read_bytes())
    manifest.files[name] = lines.FileName(0, "0" * 64)
    (bundle / lines.MANIFEST).write_bytes(lines.encode(manifest))
    assert "file_missing" in codes(bundle)


def test_a_time_that_is_none_in_the_manifest_gets_two_lines_and_exit_2(bundle: Path) -> None:
    manifest = (bundle / lines.MANIFEST).read_bytes()
    (bundle / lines.MANIFEST).write_bytes(manifest.replace(b"2026-03-02T06", b"2026-13-02T06", 1))
    done = run(bundle)
    assert (done.returncode, done.stderr.count("\n")) == (2, 2)


def test_an_export_that_was_interrupted_is_no_bundle(tmp_path: Path) -> None:
    twin = honest()
    write(twin, tmp_path / "b", asked(twin))
    (tmp_path / "b" / lines.MANIFEST).unlink()
    assert run(tmp_path / "b").returncode == 2
