"""One transaction as the journal's calls see it: statements, the time, and rising numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from agentopic.errors import ProcessBuriedError

Counter = Literal["pos", "row", "token"]

_PORTIONS = (64, 8, 1)
"""How many values a list in a query has: few sizes, so that its statement is prepared once."""
_MARKS = {size: ", ".join("?" * size) for size in _PORTIONS}


class Transaction:
    """What a call gets to work with; valid until the call returns."""

    def __init__(self, connection: sqlite3.Connection, now: float) -> None:
        self._connection = connection
        self.now = now
        self._numbers: dict[Counter, int] = {}

    @property
    def now_ms(self) -> int:
        """The time in ms since the epoch."""
        return round(self.now * 1000)

    def execute(self, statement: str, *values: object) -> int:
        """Run a statement and return how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def execute_named(self, statement: str, values: Mapping[str, object]) -> int:
        """Run a statement with named values and return how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row."""
        self._connection.executemany(statement, rows)

    def rows(self, statement: str, *values: object) -> list[Any]:
        """Return all rows of a query."""
        return self._connection.execute(statement, values).fetchall()

    def rows_named(self, statement: str, values: Mapping[str, object]) -> list[Any]:
        """Return all rows of a query with named values."""
        return self._connection.execute(statement, values).fetchall()

    def rows_of(self, statement: str, values: Sequence[object]) -> list[Any]:
        """Return all rows of a query with `IN ({})`, for a list of any length; in no order."""
        found: list[Any] = []
        for portion in _portions(values):
            query = statement.format(_MARKS[len(portion)])
            found.extend(self._connection.execute(query, portion).fetchall())
        return found

    def row(self, statement: str, *values: object) -> Any:
        """Return the first row of a query, or None."""
        return self._connection.execute(statement, values).fetchone()

    def next_number(self, name: Counter) -> int:
        """Draw a number that no transaction ever drew before; they rise in commit order."""
        if name not in self._numbers:
            self._numbers[name] = self.row("SELECT value FROM j_counter WHERE name = ?", name)[0]
        self._numbers[name] += 1
        return self._numbers[name]

    def store_numbers(self) -> None:
        """Store how far the numbers were drawn; the last thing before the commit."""
        for name, value in self._numbers.items():
            self.execute("UPDATE j_counter SET value = ? WHERE name = ?", value, name)

    def check_alive(self, me: int) -> None:
        """Begin a call of a process.

        Raises:
            ProcessBuriedError: the process has left or been declared dead.
        """
        if self.row("SELECT 1 FROM j_process WHERE id = ? AND ended_at IS NULL AND NOT has_left", me) is None:
            raise ProcessBuriedError(f"process {me} has been declared dead")


def _portions(values: Sequence[object]) -> Iterator[Sequence[object]]:
    """Cut into lists of few different sizes; the last one is filled up by repeating its last value."""
    for start in range(0, len(values), _PORTIONS[0]):
        portion = values[start : start + _PORTIONS[0]]
        size = min(size for size in _PORTIONS if size >= len(portion))
        yield [*portion, *[portion[-1]] * (size - len(portion))]
