"""The environment is read by the settings, by the few switches of code without settings, and by the test bed."""

from __future__ import annotations

import ast
from pathlib import Path

from .source_tree import modules, name_of, tree_of

DOORS = {"environ", "environb", "getenv", "getenvb"}
READERS = ("settings.py", "settings/", "switches.py", "testing/environment.py")


def _reads_environment(path: Path) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in DOORS)
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and _names(node) & DOORS)
        for node in ast.walk(tree_of(path))
    )


def _names(node: ast.ImportFrom) -> set[str]:
    return {alias.name for alias in node.names}


def test_only_the_settings_and_the_test_bed_read_the_environment() -> None:
    readers = [name_of(path) for path in modules() if _reads_environment(path)]

    assert [name for name in readers if not name.startswith(READERS)] == []
