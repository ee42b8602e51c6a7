"""Liveness: this process's beat, the fence before outside calls, and the burial of silent peers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from agentopic.engine.outbox import Outbox
from agentopic.engine.writer import Writer
from agentopic.errors import JournalUnavailableError, ProcessBuriedError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Heart, Journal, Peer
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)


class Heartbeat:
    """Raises the beat every third of the lease from a thread of its own, as long as the event loop answers."""

    def __init__(
        self, journal: Journal, me: int, *, lease_seconds: float, clock: Clock, buried: Callable[[], None]
    ) -> None:
        self._journal, self._me, self._clock = journal, me, clock
        self._interval = lease_seconds / 3
        self._margin = lease_seconds - min(1.0, lease_seconds / 4)
        self._buried = buried
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._confirmed = clock.monotonic()
        self.beats = 0
        """The highest beat the journal has confirmed."""
        self.rewound = False
        """Whether the journal was found to have lost its last moments, this process's latest beats with them."""
        self._thread = threading.Thread(target=self._run, name=f"agentopic-heart-{me}", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop beating and wait for the thread."""
        self._stop.set()
        await asyncio.to_thread(self._thread.join, self._interval * 2)

    def is_fresh(self) -> bool:
        """Whether the last confirmed beat is younger than the lease less its margin: nobody can have buried us."""
        return self._clock.monotonic() - self._confirmed < self._margin

    def confirm(self, at: float) -> None:
        """Note that the journal knew this process to be alive at this reading of the clock."""
        self._confirmed = max(self._confirmed, at)

    def _run(self) -> None:
        with suppress(RuntimeError):  # the main loop is gone: the process is ending
            asyncio.run(self._beat_until_stopped())

    async def _beat_until_stopped(self) -> None:
        # Waiting blocks this thread's own loop on purpose: it runs nothing else.
        while not self._stop.is_set():
            try:
                async with self._journal.heart(self._me) as heart:
                    while not self._stop.wait(self._interval):
                        await self._beat(heart)
            except ProcessBuriedError:
                self._loop.call_soon_threadsafe(self._buried)
                return
            except JournalUnavailableError as exc:
                log.warning("beat not confirmed", error=str(exc))
                self._stop.wait(min(1.0, self._interval))

    async def _beat(self, heart: Heart) -> None:
        if self._loop_answers():
            asked = self._clock.monotonic()
            beat = await heart.beat()
            if beat <= self.beats:
                self.rewound = True
                raise ProcessBuriedError(f"the journal has gone back in time: beat {beat} came after {self.beats}")
            self.beats = beat
            self.confirm(asked)

    def _loop_answers(self) -> bool:
        answered = threading.Event()
        self._loop.call_soon_threadsafe(answered.set)
        if answered.wait(self._interval) or self._stop.is_set():
            return True
        log.error("the event loop does not answer: a handler blocks it; this process does not beat")
        return False


class Fence:
    """Lets an outside call through only while this process cannot have been buried (journal.md rule 4)."""

    def __init__(self, heartbeat: Heartbeat, writer: Writer) -> None:
        self._heartbeat, self._writer = heartbeat, writer

    async def pass_through(self) -> None:
        """Return when this process is certainly alive in the journal; asks it when the last beat is old.

        What the journal says then holds for this call alone: it is no beat, and the others may bury us any moment.

        Raises:
            ProcessBuriedError: it has been declared dead.
        """
        while not self._heartbeat.is_fresh():
            try:
                await self._writer.call(lambda: self._writer.journal.peers(self._writer.me))
            except JournalUnavailableError:
                continue  # the writer waits until the journal answers again
            return


class Watch:
    """Watches the peers' beats and buries whoever shows no new one for a whole lease by this process's own clock.

    Looks more than half a lease apart prove nothing: this process was suspended, or the journal was away and nobody
    could beat. The observation then begins anew.
    """

    def __init__(self, writer: Writer, outbox: Outbox, *, lease_seconds: float, clock: Clock) -> None:
        self._writer, self._outbox, self._clock = writer, outbox, clock
        self._lease = lease_seconds
        self._interval = min(1.0, lease_seconds / 5)
        self._seen: dict[int, tuple[int, float]] = {}
        self._looked = clock.monotonic()

    async def run(self, freed: Callable[[], None]) -> None:
        """Watch until cancelled; `freed` is called after each burial."""
        while True:
            try:
                if await self._look():
                    freed()
            except JournalUnavailableError:
                # Beats missed during our own outage prove nothing about the peers.
                self._seen.clear()
            await asyncio.sleep(self._interval)

    async def _look(self) -> bool:
        asked = self._clock.monotonic()
        peers = await self._writer.call(lambda: self._writer.journal.peers(self._writer.me))
        now = self._clock.monotonic()
        if now - self._looked > self._lease / 2:
            self._seen.clear()
        self._looked = now
        self._seen = {peer.id: self._since(peer, now) for peer in peers}
        silent = [peer for peer in peers if peer.gone or asked - self._seen[peer.id][1] >= self._lease]
        for peer in silent:
            await self._bury(peer)
        return bool(silent)

    def _since(self, peer: Peer, now: float) -> tuple[int, float]:
        seen = self._seen.get(peer.id)
        return seen if seen is not None and seen[0] == peer.beat else (peer.beat, now)

    async def _bury(self, peer: Peer) -> None:
        rows = await self._writer.call(lambda: self._writer.journal.bury(self._writer.me, peer))
        log.warning("buried a silent process", peer=peer.id, gone=peer.gone, orphaned_rows=len(rows))
        self._outbox.add(rows)
