"""The sandbox as a real process on a real socket, and what makes clients of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from joserfc.jwk import RSAKey

from gateway.onss.client import OnssClient
from gateway.onss.config import OnssConfig
from gateway.onss.tokens import Sources
from tests.support.waiting import wait_for

COMMAND = "from gateway.sandbox.command import sandbox; sandbox()"
CLIENT_ID = "made-up-cleaning"


def new_uuid() -> str:
    return str(uuid.uuid4())


@dataclass
class RunningSandbox:
    """A sandbox process and its addresses."""

    process: subprocess.Popen[bytes]
    db: Path
    url: str
    base_url: str
    token_url: str

    def fault(self, fault: str, **more: Any) -> None:
        asked = requests.post(f"{self.url}/faults", json={"fault": fault, **more}, timeout=5)
        assert asked.status_code == 200, asked.text

    def rows(self) -> list[dict[str, Any]]:
        """What it registered, oldest first, by its inspection page."""
        told = requests.get(f"{self.url}/inspection.json", timeout=5).json()
        return list(reversed(told["registrations"]))

    def clear(self) -> None:
        requests.delete(f"{self.url}/faults", timeout=5)
        requests.put(f"{self.url}/refusals", json={}, timeout=5)
        requests.put(f"{self.url}/validity", json={}, timeout=5)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def start_sandbox(folder: Path, public: Path, *options: str) -> RunningSandbox:
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    db = folder / "sandbox.db"
    known = ["--db", str(db), "--client", f"{CLIENT_ID}={public}", "--ready-file", str(ready)]
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *known, *options])

    def look() -> dict[str, str]:
        assert process.poll() is None, "the sandbox ended"
        return dict(json.loads(ready.read_text())) if ready.exists() else {}

    return RunningSandbox(process, db, **wait_for(look, "the sandbox to listen"))


@dataclass
class Clock:
    """A steady clock that only a test moves."""

    at_s: float = 1000.0

    def __call__(self) -> float:
        return self.at_s


@dataclass
class Clients:
    """Makes clients, and closes them."""

    key: RSAKey
    made: list[OnssClient] = field(default_factory=list)

    def __call__(
        self, sandbox: RunningSandbox, monotonic: Callable[[], float] = time.monotonic, **more: Any
    ) -> OnssClient:
        settings: dict[str, Any] = {
            "base_url": sandbox.base_url,
            "token_url": sandbox.token_url,
            "client_id": CLIENT_ID,
            "key": self.key,
            "read_s": 10.0,
        }
        config = OnssConfig(**(settings | more))
        client = OnssClient(config, Sources(time.time, monotonic, new_uuid))
        self.made.append(client)
        return client
