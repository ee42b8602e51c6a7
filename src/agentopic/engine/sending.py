"""Sending: single records from many tasks, those that meet put into one call of the transport."""

from __future__ import annotations

import asyncio
from collections import deque

from agentopic.errors import TransportError
from agentopic.ports.transport import OutgoingRecord, Sent, Transport

BATCH = 500
FLIGHTS = 4


class Sender:
    """Sends what no outbox vouches for: requests, commands, wakes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: deque[tuple[OutgoingRecord, asyncio.Future[Sent]]] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._due = False

    async def send(self, record: OutgoingRecord) -> Sent:
        """Append one record and return where it lies. Cancelled, it may be sent all the same.

        Raises:
            TransportError: the log did not acknowledge it within the transport's time-out, or refuses it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sent] = loop.create_future()
        self._waiting.append((record, future))
        if not self._due:
            # At the end of this round of the event loop: whoever sends in it shares the call.
            self._due = True
            loop.call_soon(self._fly)
        return await future

    def _fly(self) -> None:
        self._due = False
        while self._waiting and len(self._flights) < FLIGHTS:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            flight = asyncio.get_running_loop().create_task(self._send(batch))
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        if self._waiting:
            self._fly()

    async def _send(self, batch: list[tuple[OutgoingRecord, asyncio.Future[Sent]]]) -> None:
        try:
            results = await self._transport.send([record for record, _ in batch])
        except TransportError as exc:
            results = [exc] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Sent):
                future.set_result(result)
            else:
                future.set_exception(result)

    async def aclose(self) -> None:
        """Wait for what is under way; nothing may be sent any more."""
        while self._flights:
            await asyncio.wait(self._flights)
