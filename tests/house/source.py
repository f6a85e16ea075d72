"""The checkout as the rules see it: its files, and each Python module with its names resolved."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ciao", "hardware", "terminal", "provisioning", "gateway")

# What git ignores, and git itself.
_NOT_OURS = {"__pycache__", ".git", ".venv", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
_NOT_OURS |= {".hypothesis", "build"}


@dataclass(frozen=True)
class Module:
    """One Python file: where it lies, and its text."""

    path: str
    text: str

    @classmethod
    def at(cls, path: Path) -> Module:
        """Read a file of the checkout."""
        return cls(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.text, self.path)

    @property
    def name(self) -> str:
        """Its dotted name: `terminal.cli`, or `terminal` for `terminal/__init__.py`."""
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @property
    def package(self) -> str:
        """The top folder it is in."""
        return self.path.partition("/")[0]

    @property
    def stem(self) -> str:
        """Its file name without `.py`."""
        return self.path.rpartition("/")[2].removesuffix(".py")

    @property
    def is_edge(self) -> bool:
        """An edge says so in the first line of its docstring."""
        return (ast.get_docstring(self.tree) or "").startswith("Edge: ")

    @property
    def is_program(self) -> bool:
        """The files in which a program puts its edges together."""
        return self.stem in ("cli", "__main__")

    def imports(self) -> Iterator[tuple[int, str]]:
        """Yield (line, dotted name) of everything imported when the program runs.

        `from a import b` yields `a.b`: the caller knows whether `b` is a module.
        """
        for node in self._running_nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                origin = self._origin(node)
                yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)

    def mentions(self) -> Iterator[tuple[int, str]]:
        """Yield (line, dotted name) wherever an imported name is used, aliases resolved."""
        for node in self._running_nodes:
            if isinstance(node, ast.Name | ast.Attribute):
                name = self.resolve(node)
                if name:
                    yield node.lineno, name

    def resolve(self, node: ast.expr) -> str:
        """Say what an expression names in full, where it begins with something imported, or ""."""
        first, _, rest = _dotted(node).partition(".")
        origin = self._imported_names.get(first, "")
        return f"{origin}.{rest}" if origin and rest else origin

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    @cached_property
    def _imported_names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for node in self._running_nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    names[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom):
                origin = self._origin(node)
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{origin}.{alias.name}"
        return names

    @cached_property
    def _running_nodes(self) -> list[ast.AST]:
        """Every node but those below `if TYPE_CHECKING`."""
        found: list[ast.AST] = []
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            found.append(node)
            if isinstance(node, ast.If) and _dotted(node.test).endswith("TYPE_CHECKING"):
                waiting.extend(node.orelse)
            else:
                waiting.extend(ast.iter_child_nodes(node))
        return found

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        base = self.path.removesuffix(".py").split("/")[: -node.level]
        return ".".join([*base, *([node.module] if node.module else [])])


def files() -> list[Path]:
    """List every file of the checkout that is ours."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not _ignored(name))
        # `.git` is a file in a linked worktree
        ours = (name for name in sorted(names) if not _ignored(name) and not name.endswith(".pyc"))
        found += [Path(folder, name) for name in ours]
    return found


def modules(*folders: str) -> list[Module]:
    """Read the Python modules below these folders of the checkout; all of them without one."""
    tops = folders or tuple(sorted({path.relative_to(ROOT).parts[0] for path in files()}))
    return [
        Module.at(path)
        for path in files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in tops
    ]


def our_modules() -> list[Module]:
    """Read the modules of the five packages."""
    return modules(*PACKAGES)


def _ignored(name: str) -> bool:
    return name in _NOT_OURS or name.endswith(".egg-info")


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
