"""One sandbox for the folder, a key pair, and clients that are closed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from tests.onss.peer import Clients, RunningSandbox, start_sandbox


@pytest.fixture(scope="session")
def key() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.fixture(scope="session")
def public(key: RSAKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "public.pem"
    path.write_bytes(key.as_pem(private=False))
    return path


@pytest.fixture(scope="session")
def shared_sandbox(
    public: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSandbox]:
    sandbox = start_sandbox(tmp_path_factory.mktemp("sandbox"), public, "--search-delay", "0")
    yield sandbox
    sandbox.kill()


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox) -> Iterator[RunningSandbox]:
    yield shared_sandbox
    shared_sandbox.clear()


@pytest.fixture
def clients(key: RSAKey) -> Iterator[Clients]:
    makes = Clients(key)
    yield makes
    for client in makes.made:
        client.close()
