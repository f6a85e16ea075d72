"""The document of the service (docs/protocol/onss.openapi.yaml), read, and what values it means."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol" / "onss.openapi.yaml"
SERVER = "https://services.socialsecurity.be/REST"
CONFIDENCES = {"sure", "likely", "unknown"}


@cache
def document() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return read


def schema(name: str) -> dict[str, Any]:
    """One of the document's schemas, whole: a JSON Schema with the others beside it."""
    return {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}


def properties(name: str) -> set[str]:
    """The properties of a schema."""
    return set(document()["components"]["schemas"][name]["properties"])


def operation(path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = document()["paths"][path][method]
    return found


def problem_types(node: Any) -> Iterator[tuple[int, str]]:
    """Each (status, short type) of a problem that a response of the document has."""
    for response in node["components"]["responses"].values():
        content = response["content"].get("application/problem+json")
        for part in content["schema"]["allOf"][1:] if content else ():
            kinds = part["properties"]["type"]
            for kind in kinds.get("enum", [kinds.get("const")]):
                status = part["properties"].get("status", {}).get("const", 0)
                yield status, kind.removeprefix("urn:problem-type:belgif:")
