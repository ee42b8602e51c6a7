"""Import statements as data, for code that is sent somewhere else to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Alias:
    """`name as alias`."""

    name: str
    alias: str


@dataclass(frozen=True)
class ImportFromModule:
    """`from module import a, b as c`."""

    module: str
    imports: tuple[str | Alias, ...]

    def __init__(self, module: str, imports: tuple[str | Alias, ...] | list[str | Alias]) -> None:
        object.__setattr__(self, "module", module)
        object.__setattr__(self, "imports", tuple(imports))


Import: TypeAlias = str | ImportFromModule | Alias
"""A module's name, a module under another name, or names from a module."""


def import_statement(imported: Import) -> str:
    """The Python statement for an Import."""
    if isinstance(imported, str):
        return f"import {imported}"
    if isinstance(imported, Alias):
        return f"import {_clause(imported)}"
    return f"from {imported.module} import {', '.join(map(_clause, imported.imports))}"


def _clause(name: str | Alias) -> str:
    return name if isinstance(name, str) else f"{name.name} as {name.alias}"
