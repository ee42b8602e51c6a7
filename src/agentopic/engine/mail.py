"""Mail: what others have done to the lanes of this process, read on a wake and with every beat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

from agentopic.engine.sending import Sender
from agentopic.engine.writer import Writer
from agentopic.envelope import Envelope, new_id
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.errors import JournalUnavailableError, TransportError
from agentopic.ports.journal import Letter, Notice
from agentopic.ports.transport import OutgoingRecord
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

WAKE_TYPE = "agentopic.Wake.v1"


class Mailbox:
    """Empties this process's mail and knows which runs are cancelled."""

    def __init__(
        self,
        writer: Writer,
        *,
        interval: float,
        letters: Callable[[Sequence[Letter]], None],
        ended: Callable[[AbstractSet[str]], None],
    ) -> None:
        """Give `letters` what has come, and `ended` the runs that are found to be cancelled now."""
        self._writer, self._interval = writer, interval
        self._letters, self._ended = letters, ended
        self._woken = asyncio.Event()
        self._lost = False
        """Whether mail may have been taken that nobody saw."""
        self._cancelled: AbstractSet[str] = frozenset()

    def wake(self) -> None:
        """Have the mail read at once."""
        self._woken.set()

    def is_cancelled(self, run: str) -> bool:
        """Whether a run has been cancelled, as far as the last look knows."""
        return run in self._cancelled

    async def run(self) -> None:
        """Read the mail on a wake, and at the latest after each interval, until cancelled."""
        while True:
            try:
                await self._read()
            except JournalUnavailableError:
                self._lost = True
                continue  # the next call waits until the journal has been reached again
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._woken.wait()
            self._woken.clear()

    async def _read(self) -> None:
        journal = self._writer.journal
        runs = await self._writer.call(journal.cancelled_runs)
        news = runs - self._cancelled
        self._cancelled = runs
        if news:
            self._ended(news)
        letters = await self._writer.call(lambda: journal.mail(self._writer.me))
        if self._lost:
            letters = await self._about_everything()
            self._lost = False
        if letters:
            self._letters(letters)

    async def _about_everything(self) -> Sequence[Letter]:
        holdings = await self._writer.call(lambda: self._writer.journal.held(self._writer.me))
        return [
            Letter(lane=each.lane, token=each.token, cancelled=each.cancelled, paused=False)
            for each in holdings.lanes
            if each.pos is not None
        ]


class Waker:
    """Tells other processes, best effort, that they have mail: without it they look with their next beat."""

    def __init__(self, sender: Sender, namespace: str) -> None:
        self._sender, self._namespace = sender, namespace
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, notices: Sequence[Notice]) -> None:
        """Send wakes in the background."""
        for notice in notices:
            record = self._record(notice.address)
            if record is not None:
                task = asyncio.get_running_loop().create_task(self._send(record))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _send(self, record: OutgoingRecord) -> None:
        try:
            await self._sender.send(record)
        except TransportError as exc:
            log.info("a process could not be woken, it looks with its next beat", error=str(exc))

    def _record(self, address: str) -> OutgoingRecord | None:
        place, _, process = address.partition("#")
        topic, _, partition = place.rpartition("/")
        if not topic or not process or not partition.isdecimal():
            return None
        event = Envelope(
            id=new_id(),
            source=f"/{self._namespace}/control",
            type=WAKE_TYPE,
            extensions={names.AGMSGKIND: names.KIND_WAKE, names.AGTARGETKEY: process},
        )
        message = encode(event)
        return OutgoingRecord(
            topic=topic, key=None, value=message.value, headers=message.headers, partition=int(partition)
        )

    async def aclose(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
