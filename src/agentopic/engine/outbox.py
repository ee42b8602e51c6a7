"""Step 7, Publish: committed rows go out in order per (lane, topic, key) and are dropped once acknowledged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from agentopic.errors import RecordRefusedError
from agentopic.ports.journal import OutboxRow, StoredRow
from agentopic.ports.transport import OutgoingRecord, Sent, Transport, TransportError
from agentopic.telemetry.loggers import get_logger

OrderKey = tuple[bytes | int, str, bytes | None]

log = get_logger(__name__)

BATCH = 500
RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)


class Outbox:
    """The unsent rows this process knows of.

    A row is handed to the transport only when every earlier row of its (lane, topic, key) is acknowledged or in
    the same call before it. After a failed send everything behind it waits. A row the broker refuses for good
    goes to `refused` and blocks nobody.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        sent: Callable[[Sequence[StoredRow]], None],
        refused: Callable[[OutboxRow, RecordRefusedError], OutboxRow | None],
    ) -> None:
        self._transport = transport
        self._sent = sent
        self._refused = refused
        self._queues: dict[OrderKey, deque[StoredRow]] = {}
        self._ready: deque[OrderKey] = deque()
        self._known: set[int] = set()
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._open = 0
        self._failures = 0

    def __len__(self) -> int:
        """Return the number of rows not yet acknowledged."""
        return self._open

    def add(self, rows: Sequence[StoredRow]) -> None:
        """Take rows to send, in their order; rows already here are passed over."""
        for row in rows:
            if row.id in self._known:
                continue
            self._known.add(row.id)
            self._open += 1
            key = _order_key(row)
            queue = self._queues.get(key)
            if queue is None:
                self._queues[key] = deque([row])
                self._ready.append(key)
            else:
                queue.append(row)
        if self._open:
            self._empty.clear()
            self._wake.set()

    def forget(self, rows: Sequence[StoredRow]) -> None:
        """Note that the journal no longer has these rows."""
        self._known.difference_update(row.id for row in rows)

    async def drained(self) -> None:
        """Wait until every row is acknowledged."""
        await self._empty.wait()

    async def run(self) -> None:
        """Send until cancelled; several may run side by side."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._ready:
                await self._send(self._claim())

    def _claim(self) -> list[StoredRow]:
        rows: list[StoredRow] = []
        while self._ready and len(rows) < BATCH:
            rows.extend(self._queues[self._ready.popleft()])
        return rows

    async def _send(self, rows: list[StoredRow]) -> None:
        results = await self._transport.send([_outgoing(each.row) for each in rows])
        done: list[StoredRow] = []
        retry = False
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, Sent) or await self._put_aside(row.row, result):
                done.append(row)
            else:
                retry = True
        self._settle(rows, done)
        if retry:
            await self._back_off(next(each for each in results if not isinstance(each, Sent)))
        else:
            self._failures = 0

    async def _put_aside(self, row: OutboxRow, error: TransportError) -> bool:
        """Whether a failed row is done with: refused for good, and its dead letter acknowledged."""
        if not isinstance(error, RecordRefusedError):
            return False
        letter = self._refused(row, error)
        if letter is None:
            return True
        (result,) = await self._transport.send([_outgoing(letter)])
        if isinstance(result, RecordRefusedError):
            self._refused(letter, result)
        return isinstance(result, Sent | RecordRefusedError)

    def _settle(self, rows: list[StoredRow], done: list[StoredRow]) -> None:
        acknowledged = {row.id for row in done}
        for key in dict.fromkeys(_order_key(row) for row in rows):
            queue = self._queues[key]
            remaining = deque(row for row in queue if row.id not in acknowledged)
            if remaining:
                self._queues[key] = remaining
                self._ready.append(key)
            else:
                del self._queues[key]
        self._open -= len(done)
        if self._open == 0:
            self._empty.set()
        self._sent(done)

    async def _back_off(self, error: TransportError | Sent) -> None:
        delay = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self._failures += 1
        log.warning("publishing failed, rows wait in the outbox", error=str(error), rows=self._open)
        await asyncio.sleep(delay)
        self._wake.set()


def _order_key(row: StoredRow) -> OrderKey:
    # Rows of the process have no order: each is its own key.
    return (row.id if row.lane is None else row.lane, row.row.topic, row.row.key)


def _outgoing(row: OutboxRow) -> OutgoingRecord:
    return OutgoingRecord(topic=row.topic, key=row.key, value=row.value, headers=row.headers, partition=row.partition)
