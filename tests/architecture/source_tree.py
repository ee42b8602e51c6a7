"""The source tree as the architecture tests see it: modules, their syntax trees and imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "agentopic"


def modules() -> list[Path]:
    """Return every module of the package that is written by hand."""
    return sorted(path for path in PACKAGE.rglob("*.py") if "_proto" not in path.parts)


def name_of(path: Path) -> str:
    """Return a module's place below the package, with slashes."""
    return path.relative_to(PACKAGE).as_posix()


def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(), filename=str(path))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports absolutely."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield node.module
