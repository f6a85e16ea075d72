"""Configuration files (TOML) read strictly: each error names the key, its line and what is allowed.

Pure but for `load`, which reads one file. Each program describes its settings as a msgspec
struct that forbids unknown fields; this module turns its complaints into two lines.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from ciao.errors import BadInput

T = TypeVar("T", bound=msgspec.Struct)

_WHERE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")


def load(kind: type[T], path: Path) -> T:
    """Read and check a settings file; raise BadInput."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"can't read {path}: {error}", "give --config FILE") from error
    return parse(kind, text, str(path))


def parse(kind: type[T], text: str, name: str) -> T:
    """Check settings against a struct; raise BadInput naming key, line and what is allowed."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{name}: not TOML: {error}", "see the example in its README") from error
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error), text, name, kind) from error


def refused(path: Path, key: str, why: str, allowed: str) -> BadInput:
    """Explain a value that fits its type and still can't be used; `key` is a dotted path."""
    try:
        line = _line(path.read_text(encoding="utf-8"), key)
    except (OSError, UnicodeDecodeError):
        line = 1
    return BadInput(f"{path}, line {line}: '{key}' {why}", allowed)


def _explained(message: str, text: str, name: str, kind: type[msgspec.Struct]) -> BadInput:
    where = _WHERE.search(message)
    path = where["path"] if where else ""
    what = message[: where.start()] if where else message
    if unknown := _UNKNOWN.match(what):
        key = f"{path}.{unknown['name']}".lstrip(".")
        allowed = ", ".join(sorted(_fields_at(kind, path)))
        return BadInput(
            f"{name}, line {_line(text, key)}: unknown key '{key}'", f"allowed here: {allowed}"
        )
    if missing := _MISSING.match(what):
        key = f"{path}.{missing['name']}".lstrip(".")
        return BadInput(f"{name}: the key '{key}' is missing", f"add {missing['name']} = …")
    return BadInput(
        f"{name}, line {_line(text, path)}: '{path}' is not allowed", what[:1].lower() + what[1:]
    )


def _fields_at(kind: type[msgspec.Struct], path: str) -> list[str]:
    """List the fields that a table at a dotted path may have."""
    info = msgspec.inspect.type_info(kind)
    for name in re.sub(r"\[[^\]]*\]", ".[]", path).split("."):
        info = _inside(info, name) if name else info
    info = _table(info)
    return [field.encode_name for field in getattr(info, "fields", ())]


def _inside(info: msgspec.inspect.Type, name: str) -> msgspec.inspect.Type:
    info = _table(info)
    if isinstance(info, msgspec.inspect.DictType):
        return info.value_type
    if isinstance(info, msgspec.inspect.ListType):
        return info.item_type
    for field in getattr(info, "fields", ()):
        if field.encode_name == name:
            return field.type  # type: ignore[no-any-return]
    return info


def _table(info: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """Look through an optional table to the table itself."""
    if isinstance(info, msgspec.inspect.UnionType):
        return next((kind for kind in info.types if hasattr(kind, "fields")), info)
    return info


def _line(text: str, path: str) -> int:
    """Find the line of a path such as `readers[1].lane`; 1 where it can't be told."""
    section, _, key = path.replace("[...]", "[*]").rpartition(".")
    key = re.escape(re.sub(r"\[.*", "", key))
    table = re.escape(re.sub(r"\[[0-9]+\]", "", section)).replace(r"\[\*\]", r"\.[^.]+")
    wanted = re.search(r"\[([0-9]+)\]$", section)
    inside, nth = not section, -1
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            title = re.sub(r"[\s\"']", "", header[1])
            inside = bool(section and re.fullmatch(table, title))
            nth += inside
            if inside and wanted and nth != int(wanted[1]):
                inside = False
            if re.fullmatch(rf"{table}\.{key}" if section else rf"{key}(\..+)?", title):
                return number
        elif inside and key and re.match(rf"\s*[\"']?{key}[\"']?\s*=", line):
            return number
    return _line(text, section) if section else 1
