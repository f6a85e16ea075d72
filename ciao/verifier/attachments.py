"""What a bundle may hold beside its rows: each kind of file, and what looks at it.

A look takes the folder, the file's name and the policy, and says what it finds; a file that nobody
looks at proves nothing, and the verifier says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ciao.verifier.findings import Findings, at
from ciao.verifier.policy import Policy

Look = Callable[[Path, str, Policy, Findings], None]


def look_at(
    folder: Path,
    names: list[str],
    looks: Mapping[str, Look],
    policy: Policy,
    findings: Findings,
) -> None:
    """Have each file looked at by whoever knows its name, or its folder's with a slash."""
    for name in names:
        look = looks.get(name) or looks.get(name.partition("/")[0] + "/")
        if look is None:
            findings.unknown("attachment", at("file", file=name))
        else:
            look(folder, name, policy, findings)
