"""How data leaves on stdout and notes on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from agentopic.cli.flags import OutputFormat

# Wide enough that no row breaks where nobody looks at it: what is piped is for programs.
_PIPE_WIDTH = 1000

# What others have written must not steer the terminal of whoever looks at it.
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def emit_rows(rows: Sequence[Mapping[str, Any]], output: OutputFormat, columns: Sequence[str]) -> None:
    """Print rows: a table of the named columns, one JSON array, or one JSON object per line."""
    if output == "json":
        emit_json(rows)
    elif output == "jsonl":
        for row in rows:
            emit_line(compact(row))
    else:
        _emit_table(rows, columns)


def emit_json(value: Any) -> None:
    """Print one indented JSON document."""
    emit_line(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def emit_line(line: str) -> None:
    """Print one line at once, so that a reader behind a pipe has it now."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """Print one line for people, on stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def compact(value: Any) -> str:
    """Return JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def stdout_console() -> Console:
    """Return a console for tables; it heeds NO_COLOR, FORCE_COLOR and the terminal's width."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def _emit_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    stdout_console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    text = compact(value) if isinstance(value, (dict, list)) else str(value)
    return text.translate(_VISIBLE)
