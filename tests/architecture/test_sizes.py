"""Modules, classes and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TypeGuard

import pytest

from .source_tree import modules, name_of, tree_of

MODULE_LINES, CLASS_LINES, FUNCTION_LINES = 400, 250, 50


def _length(path: Path, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines that do something: no signature, docstrings, field declarations, comments or blanks."""
    silent = {line for part in ast.walk(node) if _is_silent(part) for line in _lines(part)}
    text = path.read_text().splitlines()
    return sum(
        line not in silent and not text[line - 1].lstrip().startswith("#") and bool(text[line - 1].strip())
        for line in range(node.body[0].lineno, _lines(node).stop)
    )


def _is_silent(node: ast.AST) -> TypeGuard[ast.stmt]:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.AnnAssign)


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in modules()}

    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


@pytest.mark.parametrize(
    ("kinds", "limit"),
    [((ast.ClassDef,), CLASS_LINES), ((ast.FunctionDef, ast.AsyncFunctionDef), FUNCTION_LINES)],
    ids=["classes", "functions"],
)
def test_no_definition_is_longer_than_its_limit(kinds: tuple[type[ast.AST], ...], limit: int) -> None:
    too_long = [
        f"{name_of(path)}:{node.lineno} {node.name}: {_length(path, node)} lines"
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(node, kinds)
        and _length(path, node) > limit
    ]

    assert too_long == []
