"""The store outside, behind a lock: it keeps the highest fencing token it has seen and refuses lower ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple


class Page(NamedTuple):
    """One attempt to print."""

    printer: str
    number: int
    token: int
    accepted: bool


class Press:
    """A file that several processes use."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Create its tables."""
        with closing(sqlite3.connect(self.path)) as press, press:
            press.execute("CREATE TABLE printer (name TEXT PRIMARY KEY, token INTEGER)")
            press.execute("CREATE TABLE page (printer TEXT, number INTEGER, token INTEGER, accepted INTEGER)")

    def print_page(self, printer: str, number: int, token: int) -> None:
        """Take a page, or refuse it when the token is older than one seen before."""
        with closing(sqlite3.connect(self.path, timeout=30.0)) as press, press:
            press.execute("INSERT OR IGNORE INTO printer VALUES (?, 0)", (printer,))
            raise_it = "UPDATE printer SET token = ? WHERE name = ? AND token <= ?"
            raised = press.execute(raise_it, (token, printer, token)).rowcount
            press.execute("INSERT INTO page VALUES (?, ?, ?, ?)", (printer, number, token, raised == 1))

    def pages(self) -> Sequence[Page]:
        """Return all attempts in order."""
        with closing(sqlite3.connect(self.path, timeout=30.0)) as press:
            rows = press.execute("SELECT printer, number, token, accepted FROM page ORDER BY rowid").fetchall()
        return [Page(printer, number, token, bool(accepted)) for printer, number, token, accepted in rows]
