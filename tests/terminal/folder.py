"""A terminal's folder as provisioning makes it: terminal.toml and its two keys."""

from __future__ import annotations

from pathlib import Path

from ciao.keys import private_pem, write_secret
from tests.terminal.world import DOMAIN, ENROLLED, PROVISIONING, SEAL_KEY, TERMINAL

TOML = f"""\
terminal = "{TERMINAL}"
domain = "{DOMAIN}"
provisioning_key = "{PROVISIONING.verifier()}"
language = "en"

[keys]
enrolled = "enrolled.key"
seal = "seal.key"

[broker]
host = "127.0.0.1"
port = 1

[readers.door]
path = "reader"

[panel]
log = "panel.jsonl"
control = "panel.sock"

[clock]
assured_error_ms = 50
"""


def terminal_folder(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the folder, with one change to its settings; return the path of terminal.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    assert old in TOML
    config = folder / "terminal.toml"
    config.write_text(TOML.replace(old, new, 1) if old else TOML)
    for name, key in (("enrolled.key", ENROLLED.private), ("seal.key", SEAL_KEY)):
        if not (folder / name).exists():
            write_secret(folder / name, private_pem(key))
    return config
