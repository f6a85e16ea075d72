"""What lies in the checkout besides code: a README a folder, nothing of one machine, a licence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, ROOT, files

# Written in parts, so that this file doesn't match itself.
_PLACES = ("wo" + "rk", "fa" + "rm", "ro" + "ot", "ho" + "me")
_INDEXES = ("py" + "pi\\.org", "python" + "hosted", "index" + "-url", "trusted" + "-host")
MACHINE = re.compile(rf"(?<![\w.~-])/({'|'.join(_PLACES)})/")
REGISTRIES = re.compile("|".join(_INDEXES))
TEXT_BYTES_MAX = 2_000_000


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in files():
        if path.stat().st_size <= TEXT_BYTES_MAX:
            try:
                found.append((path.relative_to(ROOT), path.read_text(encoding="utf-8")))
            except UnicodeDecodeError:
                continue
    return found


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number} {line.strip()[:80]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_names_a_path_of_one_machine() -> None:
    found = lines_with(MACHINE)
    assert not found, "take the path from the configuration or the environment:\n" + "\n".join(
        found
    )


def test_nothing_names_a_package_registry() -> None:
    found = lines_with(REGISTRIES)
    assert not found, "pip's own configuration says where from:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "line", ["cd /" + "work/main", "open('/" + "home/ann/x')", "https://py" + "pi.org/simple"]
)
def test_a_path_of_a_machine_or_a_registry_would_be_found(line: str) -> None:
    assert MACHINE.search(line) or REGISTRIES.search(line)


@pytest.mark.parametrize(
    "line", ["homework/", "./" + "work/x", "$HOME/" + "work/", "/var/lib/ciao"]
)
def test_other_paths_are_left_alone(line: str) -> None:
    assert not MACHINE.search(line)


def folders_with_code() -> list[Path]:
    """Folders of the checkout that hold code or documents; of the tests' own, the top one."""
    found = {
        path.parent.relative_to(ROOT)
        for path in files()
        if path.suffix in (".py", ".md")
        and not path.name.startswith(("__init__", "README"))
        and path.relative_to(ROOT).parts[0] != "tests"
    }
    return sorted((found | {Path(name) for name in (*PACKAGES, "tests")}) - {Path(".")})


@pytest.mark.parametrize("folder", folders_with_code(), ids=str)
def test_a_folder_says_who_lives_there(folder: Path) -> None:
    if not (ROOT / folder / "README.md").is_file():
        advice = "write it: its files in the order of the data's path, and who may call"
        pytest.fail(f"{folder} has no README.md: {advice}", pytrace=False)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_readme_names_every_file_of_its_folder(package: str) -> None:
    missing = []
    for path in files():
        readme = path.parent / "README.md"
        ours = path.suffix == ".py" and path.name != "__init__.py" and readme.is_file()
        if not ours or path.relative_to(ROOT).parts[0] != package:
            continue
        if path.name not in readme.read_text(encoding="utf-8"):
            missing.append(str(path.relative_to(ROOT)))
    assert not missing, f"add a row to the folder's README.md for: {', '.join(missing)}"


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"])
def test_the_checkout_has(name: str) -> None:
    assert (ROOT / name).stat().st_size > 0


def test_decisions_are_numbered_once_and_stand_in_the_index_in_order() -> None:
    """A number may be missing: it is somebody's who is not done yet."""
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    numbers = [int(name[:4]) for name in names]
    assert len(set(numbers)) == len(numbers), names
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    assert re.findall(r"\(([0-9]{4}-[^)]+\.md)\)", index) == names
