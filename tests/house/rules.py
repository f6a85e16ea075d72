"""The rules about code: each takes a module and yields what breaks it, and what to do instead.

`test_rules.py` holds our modules to them, `test_rules_bite.py` shows each a module that breaks it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping

from tests.house.source import PACKAGES, Module

_TO_DO = re.compile(r"#.*\b(TO" r"DO|FIX" r"ME)\b")

Rule = Callable[[Module], Iterator[str]]

LINES_MAX = 400
FUNCTION_LINES_MAX = 60

# Who may import whom (DESIGN 2); hardware serves provisioning as the desk reader only.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "ciao": (),
    "hardware": ("ciao",),
    "terminal": ("ciao", "hardware"),
    "provisioning": ("ciao", "hardware"),
    "gateway": ("ciao", "provisioning"),
}

# What the tap process does without: memory, start-up time, and nothing it needs.
NOT_WHILE_TAPPING = {
    "click": "read the command line in terminal/cli.py, and hand values on",
    "structlog": "say it in the journal, or on stderr",
    "sqlite_utils": "use sqlite3; migrations run in a step before the tap process",
    "requests": "ask in a process of its own, as a certificate's renewal does",
    "babel": "shape dates and numbers where a report is made",
    "asyncio": "a thread of an edge, and its Inbox",
    "concurrent": "a thread of an edge, and its Inbox",
    "xml": "msgspec reads what comes from outside",
}

# What only an edge may touch, and what everyone else does instead.
_CLOCK = "take the moment as an argument (ciao.reading.Reading, a datetime, up_ms)"
_RANDOM = "take `random_bytes: Callable[[int], bytes]` as an argument"
_EFFECT = "return an effect, and let an edge turn what happens into an event"
ONLY_IN_EDGES = {
    "time.time": _CLOCK,
    "time.time_ns": _CLOCK,
    "time.monotonic": _CLOCK,
    "time.monotonic_ns": _CLOCK,
    "time.perf_counter": _CLOCK,
    "time.clock_gettime": _CLOCK,
    "time.clock_gettime_ns": _CLOCK,
    "time.sleep": "say when to be called again (a deadline in the state), and return",
    "datetime.datetime.now": _CLOCK,
    "datetime.datetime.utcnow": _CLOCK,
    "datetime.datetime.today": _CLOCK,
    "datetime.date.today": _CLOCK,
    "random": _RANDOM,
    "os.urandom": _RANDOM,
    "secrets": _RANDOM,
    "uuid.uuid1": "take the id as an argument",
    "uuid.uuid4": "take the id as an argument",
    "socket": _EFFECT,
    "sqlite3.connect": "take an open store (the journal, ledger or registry) as an argument",
    "threading": _EFFECT,
    "requests": _EFFECT,
    "paho": _EFFECT,
    "serial": _EFFECT,
    "subprocess": _EFFECT,
}

# A store's file says by its name that it is one, and is the only place with SQL (DESIGN 3.15).
STORES = {"journal", "recent", "ledger", "registry", "store", "migrations"}
_SQL = re.compile(
    r"\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s"
    r"|CREATE\s+(UNIQUE\s+|TEMP\s+)?(TABLE|INDEX|TRIGGER|VIEW)\s|(ALTER|DROP)\s+TABLE\s"
    r"|PRAGMA\s+\w|BEGIN\s+(IMMEDIATE|EXCLUSIVE)|WITH\s+\w+\s+AS\s*\()",
    re.IGNORECASE | re.DOTALL,
)


def layers(module: Module) -> Iterator[str]:
    """Let a package import only those below it; tests, bench and dev are nobody's business."""
    allowed = {module.package, *MAY_IMPORT[module.package]}
    for line, name in module.imports():
        top = name.partition(".")[0]
        if top in (*PACKAGES, "tests", "bench") and top not in allowed:
            below = ", ".join(MAY_IMPORT[module.package]) or "none of the others"
            yield (
                f"{module.path}:{line} imports {name}; {module.package} may import {below}:"
                " move what both need down to ciao, or pass it in as an argument"
            )


def edges(module: Module) -> Iterator[str]:
    """Keep clocks, randomness, sockets, threads and the like in modules that say they are edges."""
    if module.is_edge or module.is_program:
        return
    first: dict[str, tuple[int, str]] = {}
    for line, name in sorted({*module.imports(), *module.mentions()}):
        barred = _first_match(name, ONLY_IN_EDGES)
        if barred:
            first.setdefault(barred, (line, name))
    for barred, (line, name) in first.items():
        yield (
            f"{module.path}:{line} uses {name}: {ONLY_IN_EDGES[barred]}; if this module is an edge,"
            ' begin its docstring with "Edge: "'
        )


def construction(module: Module, constructors: Collection[str]) -> Iterator[str]:
    """Construct edges in cli.py and __main__.py, or in another edge; pass them in elsewhere."""
    if module.is_edge or module.is_program:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = module.resolve(node.func)
            if name in constructors:
                yield (
                    f"{module.path}:{node.lineno} constructs {name}, an edge: construct it in"
                    " cli.py or __main__.py, and take it here as an argument"
                )


def constructors_of(module: Module) -> Iterator[str]:
    """Yield what makes an edge: classes of an edge module that are neither values nor errors."""
    if not module.is_edge:
        return
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and not _is_value(node):
            yield f"{module.name}.{node.name}"


def sql(module: Module) -> Iterator[str]:
    """Keep SQL in the stores."""
    words = {
        word for part in module.path.removesuffix(".py").split("/") for word in part.split("_")
    }
    if words & STORES:
        return
    docstrings = {id(text) for text in _docstrings(module.tree)}
    for node in ast.walk(module.tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in docstrings else None
        if isinstance(node, ast.Constant) and isinstance(text, str) and _SQL.match(text):
            yield (
                f"{module.path}:{node.lineno} writes SQL: ask the store for it (a module named"
                f" after one of {', '.join(sorted(STORES))}), with a method that says what for"
            )


def exceptions(module: Module) -> Iterator[str]:
    """Catch what is expected; only a supervisor catches everything, journals it and restarts.

    Whoever tidies up and raises it again (a transaction rolled back) has caught nothing.
    """
    if "supervisor" in module.stem:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "Exception"
            passed_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if re.search(r"\b(Base)?Exception\b", caught) and not passed_on:
                yield (
                    f"{module.path}:{node.lineno} catches {caught}: name what can happen here, and"
                    " let the rest reach the supervisor (supervisor.py)"
                )


def size(module: Module) -> Iterator[str]:
    """Hold files and functions to a length that can be read at once."""
    lines = module.text.count("\n")
    if lines > LINES_MAX:
        yield f"{module.path} has {lines} lines, {LINES_MAX} at most: one idea a file, so split it"
    for function in module.functions():
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES_MAX:
            yield (
                f"{module.path}:{function.lineno} {function.name} has {length} lines,"
                f" {FUNCTION_LINES_MAX} at most: name its parts as functions"
            )


def zones(module: Module) -> Iterator[str]:
    """Let no moment be in the zone of whatever machine it is (decision 27)."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="astimezone"), args=[], keywords=[]):
                yield (
                    f"{module.path}:{node.lineno} takes this machine's time zone: show a moment"
                    " with ciao.moments.shown, reckon in UTC"
                )


def sleeps(module: Module) -> Iterator[str]:
    """Let no test sleep."""
    for line, name in module.mentions():
        if name == "time.sleep":
            yield (
                f"{module.path}:{line} sleeps: use tests.support.waiting.wait_for, or move a"
                " virtual clock"
            )


def mocks(module: Module) -> Iterator[str]:
    """Let no test replace a part by a mock that restates it."""
    for line, name in module.imports():
        if name.startswith(("unittest.mock", "mock.", "pytest_mock")):
            yield f"{module.path}:{line} imports {name}: use the real part, or its emulated twin"


def unfinished(module: Module) -> Iterator[str]:
    """Commit nothing that is announced but not there."""
    for number, line in enumerate(module.text.splitlines(), 1):
        if _TO_DO.search(line):
            yield f"{module.path}:{number} leaves a note to do: do it, or open an issue for it"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node):
            yield f"{module.path}:{node.lineno} is a stub: write it, or leave it out"


def tap_imports(start: str, known: Mapping[str, Module], heavy: Mapping[str, str]) -> Iterator[str]:
    """Follow what `start` imports; name the chain to each thing the tap process does without."""
    chains: dict[str, tuple[str, ...]] = {start: (start,)}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        for _, imported in known[name].imports():
            top = imported.partition(".")[0]
            if top in heavy:
                yield f"{' -> '.join((*chains[name], top))}: {heavy[top]}"
            for found in _modules_named(imported, known):
                if found not in chains:
                    chains[found] = (*chains[name], found)
                    waiting.append(found)


def _modules_named(name: str, known: Mapping[str, Module]) -> list[str]:
    """List the modules that importing a dotted name runs: its packages, and itself or its owner."""
    parts = name.split(".")
    return [
        ".".join(parts[: n + 1]) for n in range(len(parts)) if ".".join(parts[: n + 1]) in known
    ]


def _first_match(name: str, table: Collection[str]) -> str | None:
    return next((key for key in table if name == key or name.startswith(f"{key}.")), None)


def _is_value(node: ast.ClassDef) -> bool:
    decorated = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
    values = ("Struct", "Error", "Exception", "Enum", "NamedTuple", "Protocol", "BadInput")
    return decorated or any(ast.unparse(base).endswith(values) for base in node.bases)


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                yield first.value
