"""Export the JSON Schema of every payload class of the package to `schemas/<type>/<version>.json`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from agentopic.core._payload import declared_payload_type

SCHEMAS = Path(__file__).parent
PACKAGE = SCHEMAS.parent / "src" / "agentopic"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSIONED = re.compile(r"(?P<name>.+)\.(?P<version>v\d+)\Z")


def exported() -> dict[Path, str]:
    """Return the text of every schema file, by its path under this folder."""
    return {_place(name): _schema(name, cls) for name, cls in _payload_classes()}


def _payload_classes() -> Iterator[tuple[str, type[Any]]]:
    declaring = (path for path in PACKAGE.rglob("*.py") if re.search(r"^@payload\(", path.read_text(), re.MULTILINE))
    for path in sorted(declaring):
        module = import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                name = declared_payload_type(value)
                if name is not None:
                    yield name, value


def _place(type_name: str) -> Path:
    versioned = VERSIONED.match(type_name)
    if versioned is None:
        return Path(type_name, "v1.json")
    return Path(versioned["name"], f"{versioned['version']}.json")


def _schema(type_name: str, cls: type[Any]) -> str:
    schema = TypeAdapter(cls).json_schema()
    return json.dumps({"$schema": DIALECT, **schema, "title": type_name}, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write what is missing or has changed, and name it on stdout."""
    for place, text in exported().items():
        path = SCHEMAS / place
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            sys.stdout.write(f"{place}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
