"""References: what unfinished work names that is kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol


class References(Protocol):
    """Looking for names in what is stored. Errors as for `Lanes`."""

    async def mentioned(self, texts: Sequence[str]) -> AbstractSet[str]:
        """Return those of these ASCII texts that the head of an unfinished delivery or a result of its steps contains.

        Slow, for upkeep: it reads every head and result.
        """
        ...
