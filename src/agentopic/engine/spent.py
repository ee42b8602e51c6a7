"""Reading the ledger: many who want to know at once make one journal call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from agentopic.ports.journal import Spend

Read = Callable[[Sequence[str]], Awaitable[Mapping[str, Spend]]]


class SpentReader:
    """Reads counts of scopes; one call is on its way, what is asked meanwhile goes out together in the next."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._asked: dict[str, None] = {}
        self._next: asyncio.Task[Mapping[str, Spend]] | None = None
        self._busy = asyncio.Lock()

    async def read(self, scopes: Sequence[str]) -> Mapping[str, Spend]:
        """Return the counts of these scopes, read after this call was made."""
        self._asked |= dict.fromkeys(scopes)
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._group())
            self._next.add_done_callback(_seen)
        # Shielded: whoever goes away must not take the answer from the others.
        found = await asyncio.shield(self._next)
        return {scope: found[scope] for scope in scopes}

    async def _group(self) -> Mapping[str, Spend]:
        async with self._busy:
            asked, self._asked, self._next = list(self._asked), {}, None
            return await self._read(asked)


def _seen(task: asyncio.Task[Mapping[str, Spend]]) -> None:
    if not task.cancelled():
        task.exception()  # whoever asked may be gone
