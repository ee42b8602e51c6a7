"""The one task that makes the journal calls of a process: group commit, unknown outcomes, bad values."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from agentopic.errors import (
    JournalRewoundError,
    JournalUnavailableError,
    LaneLostError,
    ProcessBuriedError,
    ValueRefusedError,
)
from agentopic.ports.journal import (
    Finish,
    Holdings,
    Journal,
    Started,
    StepIntent,
    StepResult,
    StepRow,
    StoredRow,
)
from agentopic.telemetry.loggers import get_logger

T = TypeVar("T")
R = TypeVar("R")

log = get_logger(__name__)

GROUP_LIMIT = 400
SENT_DELAY_SECONDS = 0.005
LEAST_GROUP = 64
"""Turns that are never parted: below that, a second call costs more than it gains."""
HOPS = 2
"""Rounds of the event loop until a call that was begun as a task has reached the connection."""
RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0)


@dataclass(slots=True)
class Waiting(Generic[T, R]):
    """A value to write and the future of whoever waits for it."""

    value: T
    future: asyncio.Future[R]

    @property
    def answered(self) -> bool:
        """Whether the result or error has been given; one whose waiter has gone away is still to be written."""
        return self.future.done() and not self.future.cancelled()

    def resolve(self, result: R) -> None:
        """Give the result, unless nobody waits any more."""
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Give the error, unless nobody waits any more."""
        if not self.future.done():
            self.future.set_exception(error)


@dataclass(slots=True)
class Queues:
    """What waits to be written, by kind; each kind goes out as one call."""

    opens: deque[Waiting[StepIntent, StepRow | None]] = field(default_factory=deque)
    closes: deque[Waiting[StepResult, StepRow]] = field(default_factory=deque)
    turns: deque[Waiting[Finish, Started | None]] = field(default_factory=deque)
    calls: deque[Waiting[Callable[[], Awaitable[Any]], Any]] = field(default_factory=deque)
    sent: list[StoredRow] = field(default_factory=list[StoredRow])

    def everything(self) -> list[Waiting[Any, Any]]:
        """Return all that waits with a future."""
        return [*self.opens, *self.closes, *self.turns, *self.calls]


class Writer:
    """Serialises the journal calls of one incarnation (journal.md rule 8).

    One call is in flight; what arrives meanwhile forms the next group. Lanes are told what a commit has brought once
    the next call is on its way, and a large commit that everybody waits for is parted: so handlers run while the
    journal works, instead of taking turns with it. After a call whose outcome is unknown the journal is asked what
    this process holds: turns found unfinished are committed again, finished ones are not, lanes and rows nobody here
    knows of are handed to `adopt`.
    """

    def __init__(
        self,
        journal: Journal,
        me: int,
        *,
        adopt: Callable[[Holdings], None],
        publish: Callable[[Sequence[StoredRow]], None],
        dropped: Callable[[Sequence[StoredRow]], None],
        buried: Callable[[], None],
        confirmed: Callable[[], int] = int,
    ) -> None:
        """Ask `confirmed` for the highest beat the journal has confirmed: a lower one shows that it has forgotten."""
        self.journal = journal
        self.me = me
        self._adopt, self._publish, self._dropped, self._buried = adopt, publish, dropped, buried
        self._confirmed = confirmed
        self._queues = Queues()
        self._results: list[tuple[Waiting[Finish, Started | None], Started | None]] = []
        """What commits have brought and nobody has been told yet."""
        self._wake = asyncio.Event()
        self._sent_due = False
        self._closing = False
        self._dead: ProcessBuriedError | None = None
        self.available = True
        """False from a call with unknown outcome until the journal has answered again."""

    @property
    def death(self) -> ProcessBuriedError | None:
        """What ended this incarnation, when the journal did."""
        return self._dead

    # ── what others call ───────────────────────────────────────────────────────────────────────────────────

    def commit(self, turn: Finish) -> asyncio.Future[Started | None]:
        """Finish a turn; the future gives its lane's next head, if the lane goes on.

        Raises:
            LaneLostError: another process holds the lane; nothing was stored.
            ValueRefusedError: the database refuses a value of this turn; nothing of it was stored.
            ProcessBuriedError: this incarnation is over.
        """
        return self._submit(self._queues.turns, turn)

    async def open_step(self, intent: StepIntent) -> StepRow | None:
        """Store an intent; None when the lane's token no longer matches."""
        return await self._submit(self._queues.opens, intent)

    async def close_step(self, result: StepResult) -> StepRow:
        """Store a result and return the one that is stored."""
        return await self._submit(self._queues.closes, result)

    async def call(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make any other journal call in turn. `JournalUnavailableError`: its outcome is unknown."""
        return cast("T", await self._submit(self._queues.calls, call))

    async def read(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make a journal call that changes nothing, again and again until the journal answers."""
        while True:
            try:
                return await self.call(call)
            except JournalUnavailableError:
                continue  # the next call waits until the journal has been reached again

    def sent(self, rows: Sequence[StoredRow]) -> None:
        """Note rows as acknowledged; they are dropped with the next commit, at most 5 ms later."""
        if not rows or self._dead is not None:
            return
        if not self._queues.sent:
            asyncio.get_running_loop().call_later(SENT_DELAY_SECONDS, self._flush_sent)
        self._queues.sent.extend(rows)

    def _flush_sent(self) -> None:
        self._sent_due = bool(self._queues.sent)
        self._wake.set()

    def _submit(self, queue: deque[Waiting[T, R]], value: T) -> asyncio.Future[R]:
        if self._dead is not None:
            raise self._dead
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        queue.append(Waiting(value, future))
        self._wake.set()
        return future

    # ── the task ───────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Write until closed and empty, or until this process is buried."""
        while not (self._closing and not self._pending()):
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._pending():
                    await self._round()
                self._hand_out()
            except ProcessBuriedError as exc:
                self._die(exc)
                return

    def close(self) -> None:
        """Let `run` end once everything submitted so far is written."""
        self._closing = True
        self._sent_due = True
        self._wake.set()

    def _pending(self) -> bool:
        queues = self._queues
        return bool(queues.opens or queues.closes or queues.turns or queues.calls or (queues.sent and self._sent_due))

    async def _round(self) -> None:
        try:
            await self._write_opens()
            await self._write_closes()
            await self._write_turns()
            await self._make_call()
        except JournalUnavailableError as exc:
            await self._reconnect(exc)

    async def _write_opens(self) -> None:
        waiting = list(self._queues.opens)
        if waiting:
            await self._group(self._open_steps, waiting)
            self._drop(self._queues.opens, waiting)

    async def _open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        rows = await self.journal.open_steps(me, intents)
        for row in rows:
            if row is not None and row.rows:
                self._publish(row.rows)
        return rows

    async def _write_closes(self) -> None:
        waiting = list(self._queues.closes)
        if waiting:
            await self._group(self.journal.close_steps, waiting)
            self._drop(self._queues.closes, waiting)

    async def _group(
        self,
        write: Callable[[int, Sequence[T]], Awaitable[Sequence[R]]],
        waiting: Sequence[Waiting[T, R]],
    ) -> None:
        try:
            results = await self._meanwhile(write(self.me, [each.value for each in waiting]))
        except ValueRefusedError as exc:
            if len(waiting) == 1:
                waiting[0].fail(exc)
                return
            half = len(waiting) // 2
            await self._group(write, waiting[:half])
            await self._group(write, waiting[half:])
            return
        for each, result in zip(waiting, results, strict=True):
            each.resolve(result)

    @staticmethod
    def _drop(queue: deque[Any], waiting: Sequence[Any]) -> None:
        for _ in waiting:
            queue.popleft()

    async def _write_turns(self) -> None:
        queues = self._queues
        waiting = [queues.turns[index] for index in range(self._group_size())]
        if not waiting and not (queues.sent and self._sent_due):
            return
        sent = list(queues.sent)
        await self._commit(waiting, sent)
        self._drop(queues.turns, waiting)
        del queues.sent[: len(sent)]
        # What was acknowledged during the call has no timer of its own: it goes out with the next round.
        self._sent_due = bool(queues.sent)
        self._dropped(sent)

    def _group_size(self) -> int:
        gathered = min(len(self._queues.turns), GROUP_LIMIT)
        # With nobody left to be told, all lanes may be waiting here: half of them can run while the others wait.
        return gathered if self._results or gathered < 2 * LEAST_GROUP else gathered // 2

    async def _meanwhile(self, call: Awaitable[R]) -> R:
        """Make a call; once it is on its way, tell the lanes what the last commit has brought."""
        task = asyncio.ensure_future(call)
        if self._results:
            for _ in range(HOPS):
                await asyncio.sleep(0)
            self._hand_out()
        return await task

    def _hand_out(self) -> None:
        results, self._results = self._results, []
        for each, following in results:
            each.resolve(following)

    async def _commit(self, waiting: Sequence[Waiting[Finish, Started | None]], sent: Sequence[StoredRow]) -> None:
        try:
            committed = await self._meanwhile(self.journal.commit(self.me, [each.value for each in waiting], sent))
        except ValueRefusedError as exc:
            if len(waiting) <= 1:
                await self._refuse(waiting, sent, exc)
                return
            half = len(waiting) // 2
            await self._commit(waiting[:half], sent)
            await self._commit(waiting[half:], ())
            return
        self._publish(committed.rows)
        following = {started.lane: started for started in committed.started}
        for each in waiting:
            lane = each.value.lane
            if lane in committed.lost:
                each.fail(LaneLostError("another process holds this lane; the attempt is void"))
            else:
                self._results.append((each, following.pop(lane, None)))
        if following:
            self._adopt(Holdings(lanes=tuple(following.values()), rows=()))

    async def _refuse(
        self, waiting: Sequence[Waiting[Finish, Started | None]], sent: Sequence[StoredRow], exc: ValueRefusedError
    ) -> None:
        if not waiting:
            raise exc
        waiting[0].fail(exc)
        if sent:
            await self._commit((), sent)

    async def _make_call(self) -> None:
        if not self._queues.calls:
            return
        call = self._queues.calls.popleft()
        try:
            call.resolve(await self._meanwhile(call.value()))
        except (JournalUnavailableError, ProcessBuriedError) as exc:
            call.fail(exc)
            raise
        except ValueRefusedError as exc:
            call.fail(exc)

    # ── unknown outcomes ───────────────────────────────────────────────────────────────────────────────────

    async def _reconnect(self, cause: JournalUnavailableError) -> None:
        self.available = False
        self._hand_out()
        log.warning("journal unavailable, reading back what is held", error=str(cause))
        tries = 0
        while True:
            confirmed = self._confirmed()
            try:
                holdings = await self.journal.held(self.me)
                await self._recall_results()
                break
            except JournalUnavailableError:
                await asyncio.sleep(RECONNECT_SECONDS[min(tries, len(RECONNECT_SECONDS) - 1)])
                tries += 1
        self.available = True
        log.info("journal available again", tries=tries + 1)
        if holdings.beat < confirmed:
            raise JournalRewoundError(f"the journal forgot: beat {holdings.beat} is stored, {confirmed} was confirmed")
        self._settle(holdings)

    async def _recall_results(self) -> None:
        """Resolve the results that the call nobody saw return has stored: written again, they would be billed twice."""
        seen: set[int] = set()
        for each in [each for each in self._queues.closes if each.value.spend and not each.answered]:
            rows = await self.journal.recorded(each.value.turn)
            row = next((row for row in rows if row.key == each.value.key), None)
            if row is not None and row.result == each.value.result:
                each.resolve(row)
                seen.add(id(each))
        self._queues.closes = deque(each for each in self._queues.closes if id(each) not in seen)

    def _settle(self, holdings: Holdings) -> None:
        """Resolve turns whose commit went through unseen; keep the others queued; adopt what is new here."""
        lanes = {started.lane: started for started in holdings.lanes}
        unfinished: deque[Waiting[Finish, Started | None]] = deque()
        for each in self._queues.turns:
            held = lanes.get(each.value.lane)
            if each.answered:
                continue  # settled by the part of the group that went through before the call broke
            if held is not None and held.token == each.value.token and held.pos == each.value.pos:
                unfinished.append(each)
                continue
            goes_on = held is not None and held.token == each.value.token and held.pos is not None
            if goes_on and held is not None:
                del lanes[each.value.lane]
                self._publish(held.unsent)  # what the commit nobody saw has decided
            each.resolve(held if goes_on else None)
        self._queues.turns = unfinished
        self._adopt(Holdings(lanes=tuple(lanes.values()), rows=holdings.rows))

    def _die(self, exc: ProcessBuriedError) -> None:
        self._dead = exc
        self._hand_out()
        for each in self._queues.everything():
            each.fail(exc)
        self._queues = Queues()
        self._buried()
