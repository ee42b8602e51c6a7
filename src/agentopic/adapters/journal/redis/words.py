"""Arguments of scripts: a flat list of words that the script reads from the left."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

T = TypeVar("T")
Word = str | bytes | int


class Words(list[Word]):
    """The arguments of one call, appended in the order in which the script reads them."""

    def put(self, *values: Word) -> None:
        """Append values that are always there."""
        self.extend(values)

    def flag(self, value: bool) -> None:
        """Append a truth value."""
        self.append(int(value))

    def maybe(self, value: Word | None) -> None:
        """Append a value that may be missing."""
        if value is None:
            self.append(0)
        else:
            self.extend((1, value))

    def optional(self, value: T | None, write: Callable[[Words, T], None]) -> None:
        """Append something of several words that may be missing."""
        self.flag(value is not None)
        if value is not None:
            write(self, value)

    def each(self, values: Collection[T], write: Callable[[Words, T], None]) -> None:
        """Append how many there are, then each."""
        self.append(len(values))
        for value in values:
            write(self, value)


def micros(seconds: float) -> int:
    """Return seconds as the scripts count them."""
    return round(seconds * 1_000_000)
