"""Group commit for sends: those that come while one write runs are written together by the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from agentopic.errors import TransportError
from agentopic.ports.transport import OutgoingRecord, Sent

Results = Sequence[Sent | TransportError]
_Waiting = tuple[Sequence[OutgoingRecord], "asyncio.Future[Results]"]


class SendGroup:
    """Gathers overlapping sends into one write each, without a timer: a lone send is written at once."""

    def __init__(self, write: Callable[[Sequence[OutgoingRecord]], Awaitable[Results]]) -> None:
        self._write = write
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def send(self, records: Sequence[OutgoingRecord]) -> Results:
        """Write the records with whatever else is waiting; cancelled before its turn it writes nothing."""
        future: asyncio.Future[Results] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await future

    async def settle(self, timeout_seconds: float) -> None:
        """Wait until nothing is waiting any more, at most so long."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=timeout_seconds)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                group = [one for one in self._waiting if not one[1].done()]
                self._waiting.clear()
                await self._write_group(group)
        finally:
            self._task = None

    async def _write_group(self, group: Sequence[_Waiting]) -> None:
        flat = [record for records, _ in group for record in records]
        try:
            results = await self._write(flat)
        except TransportError as error:
            results = [error] * len(flat)
        except BaseException:
            for _, future in group:
                future.cancel()  # whoever waits must not wait for ever
            raise
        start = 0
        for records, future in group:
            if not future.done():
                future.set_result(results[start : start + len(records)])
            start += len(records)
