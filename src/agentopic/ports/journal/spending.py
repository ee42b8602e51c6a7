"""Spending: what calls cost, counted per scope in the transaction that stores their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Counts of one scope; as an entry they are added to what is stored.

    `scope` is free text of at most 1 KiB: `run/<id>` or `type/<group>/<day>`. Money is in millionths.
    """

    scope: str
    calls: int = 0
    saved: int = 0
    """Calls not made because their result was recorded."""
    unknown: int = 0
    """Calls made again because an earlier one had no recorded outcome: the one window that can be paid twice."""
    diverged: int = 0
    """Recorded results that a later attempt did not ask for any more."""
    input_tokens: int = 0
    output_tokens: int = 0
    micros: int = 0
    unpriced: int = 0
    """Calls of models whose price is not known; they are not in `micros`."""


class Spending(Protocol):
    """The ledger (design section 6). Errors as for `Lanes`."""

    async def spend(self, me: int, entries: Sequence[Spend]) -> None:
        """Add entries to their scopes."""
        ...

    async def spent(self, scopes: Sequence[str]) -> Mapping[str, Spend]:
        """Return the counts of these scopes; zeros where nothing was ever added."""
        ...
