"""Drive a journal as several processes would: members that join it, and builders of what they store."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

from agentopic.ports.journal import (
    Answer,
    AnswerQuestion,
    CancelRequest,
    CancelRun,
    Committed,
    ControlBatch,
    Controlled,
    Finish,
    Incoming,
    IntakeBatch,
    Intaken,
    Journal,
    Letter,
    MarkAdvance,
    OutboxRow,
    Outcome,
    PauseLane,
    PortableRow,
    Refusal,
    ReplyAddress,
    Started,
    StateChange,
    StepIntent,
    StepResult,
    StepRow,
    StoredRow,
    TurnDeferred,
    TurnDone,
    TurnParked,
)
from agentopic.ports.transport import TopicPartition

T = TypeVar("T")

GROUP = "test.worker"
Watermarks = dict[tuple[str, TopicPartition], int]
PLACE = TopicPartition("test.topic.task", 0)
CONTROL_GROUP = f"{GROUP}#control"
CONTROL_PLACE = TopicPartition("test.control.worker", 0)

AnyCommand = AnswerQuestion | CancelRequest | CancelRun | PauseLane


def digest(*parts: str) -> bytes:
    """Return 16 bytes that stand for these texts."""
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()


def delivery(
    name: str,
    key: str = "k",
    *,
    group: str = GROUP,
    body: bytes | None = None,
    place: TopicPartition = PLACE,
    request_id: str | None = None,
    reply_to: ReplyAddress | None = None,
    deadline_ms: int | None = None,
    caller: bytes | None = None,
) -> Incoming:
    """Build a delivery whose identity and head are its name."""
    return Incoming(
        lane=digest(group, key),
        group=group,
        key=key,
        identity=digest(group, key, name),
        head=name.encode(),
        body=body,
        partition=place,
        request_id=request_id,
        reply_to=reply_to,
        deadline_ms=deadline_ms,
        caller=caller,
    )


def output(name: str, topic: str = "test.topic.report") -> OutboxRow:
    """Build a record to publish."""
    return OutboxRow(topic=topic, key=b"k", value=name.encode(), headers=(("ce_id", name.encode()),))


def answer(request_id: str, value: bytes = b"42", *, keep_seconds: float = 3600) -> Answer:
    """Build the end of a request."""
    headers = (("agmsgkind", b"reply"),)
    return Answer(
        request_id=request_id,
        outcome="done",
        key=b"k",
        value=value,
        headers=headers,
        keep_seconds=keep_seconds,
    )


def done(
    turn: Started,
    *,
    outbox: Sequence[OutboxRow] = (),
    state: StateChange | None = None,
    answer: Answer | None = None,
    outcome: Outcome = "done",
    hand_back: bool = False,
    asked: bool = False,
) -> TurnDone:
    """Finish what a lane runs."""
    return TurnDone(
        lane=turn.lane,
        token=turn.token,
        pos=_running(turn),
        identity=turn.identity,
        outcome=outcome,
        state=state,
        outbox=outbox,
        answer=answer,
        hand_back=hand_back,
        asked=asked,
    )


def deferred(turn: Started, delay_seconds: float = 0.0, *, failed: bool = True) -> TurnDeferred:
    """Put off what a lane runs."""
    return TurnDeferred(
        lane=turn.lane, token=turn.token, pos=_running(turn), delay_seconds=delay_seconds, failed=failed
    )


def parked(turn: Started, *awaits: str, delay_seconds: float | None = None) -> TurnParked:
    """Unwind what a lane runs until one of these steps has its result."""
    return TurnParked(
        lane=turn.lane,
        token=turn.token,
        pos=_running(turn),
        turn=turn.identity,
        awaits=tuple(digest(name) for name in awaits),
        delay_seconds=delay_seconds,
    )


def refusal(
    incoming: Incoming,
    *,
    outcome: Outcome = "dead",
    answer: Answer | None = None,
    outbox: Sequence[OutboxRow] = (),
) -> Refusal:
    """Finish a stored delivery without running it."""
    return Refusal(lane=incoming.lane, identity=incoming.identity, outcome=outcome, answer=answer, outbox=outbox)


def intent(
    turn: Started,
    name: str,
    *,
    kind: str = "tool",
    due_seconds: float | None = None,
    due_ms: int | None = None,
    callee: bytes | None = None,
    note: bytes | None = None,
    outbox: tuple[OutboxRow, ...] = (),
) -> StepIntent:
    """Announce an outside call of the turn that a lane runs."""
    return StepIntent(
        lane=turn.lane,
        token=turn.token,
        pos=_running(turn),
        turn=turn.identity,
        key=digest(name),
        kind=kind,
        name=name,
        due_seconds=due_seconds,
        due_ms=due_ms,
        callee=callee,
        note=note,
        outbox=outbox,
    )


def result(
    turn: Started, name: str, value: bytes, *, lane: bytes | None = None, token: int | None = None
) -> StepResult:
    """Record what such a call returned."""
    return StepResult(turn=turn.identity, key=digest(name), result=value, lane=lane, token=token)


def reply(turn: Started, name: str, value: bytes = b"reply") -> StepResult:
    """Record what the lane of a turn waits for."""
    return result(turn, name, value, lane=turn.lane)


def _running(turn: Started) -> int:
    if turn.pos is None:
        raise ValueError("the lane was taken to send its rows; it runs no delivery")
    return turn.pos


@dataclass(slots=True, kw_only=True)
class Member:
    """One process in the journal: its connection, its id, and what it knows of the watermarks."""

    journal: Journal
    id: int
    known: Watermarks

    async def intake(
        self,
        *deliveries: Incoming,
        free: int = 0,
        group: str = GROUP,
        dead: Sequence[tuple[TopicPartition, OutboxRow]] = (),
    ) -> Intaken:
        """Store deliveries as the next records of their partitions."""
        batch = self.batch(*deliveries, free=free, group=group, dead=dead)
        taken = await self.journal.intake(self.id, batch)
        for mark in batch.marks:
            if mark.partition not in taken.stale:
                self.known[group, mark.partition] = mark.next
        return taken

    def batch(
        self,
        *deliveries: Incoming,
        free: int = 0,
        group: str = GROUP,
        dead: Sequence[tuple[TopicPartition, OutboxRow]] = (),
    ) -> IntakeBatch:
        """Build the batch that `intake` would store, with the marks that the mesh knows."""
        places = [item.partition for item in deliveries] + [place for place, _ in dead]
        marks = [self._mark(group, place, places.count(place)) for place in dict.fromkeys(places)]
        return IntakeBatch(group=group, marks=marks, deliveries=deliveries, dead=dead, free=free)

    def _mark(self, group: str, place: TopicPartition, count: int) -> MarkAdvance:
        known = self.known.get((group, place))
        return MarkAdvance(partition=place, known=known, next=(known or 0) + count)

    async def take(self, slots: int = 1, group: str = GROUP) -> Sequence[Started]:
        """Take ready lanes of one group."""
        return await self.journal.take(self.id, {group: slots})

    async def commit(self, *turns: Finish, sent: Sequence[StoredRow] = ()) -> Committed:
        """Finish turns and acknowledge rows."""
        return await self.journal.commit(self.id, turns, sent)

    async def run(self, *deliveries: Incoming) -> Sequence[Started]:
        """Store deliveries and start all their lanes at once."""
        return (await self.intake(*deliveries, free=len(deliveries))).started

    async def control(self, *commands: AnyCommand, dead: Sequence[OutboxRow] = ()) -> Controlled:
        """Store commands and dead letters as the next records of their partitions, and apply them."""
        letters = [(CONTROL_PLACE, row) for row in dead]
        places = [command.partition for command in commands] + [place for place, _ in letters]
        marks = [self._mark(CONTROL_GROUP, place, places.count(place)) for place in dict.fromkeys(places)]
        controlled = await self.journal.control(
            self.id, ControlBatch(group=CONTROL_GROUP, marks=marks, commands=commands, dead=letters)
        )
        for mark in marks:
            if mark.partition not in controlled.stale:
                self.known[CONTROL_GROUP, mark.partition] = mark.next
        return controlled

    async def mail(self) -> Mapping[bytes, Letter]:
        """Empty the mail; letters by lane."""
        return {letter.lane: letter for letter in await self.journal.mail(self.id)}

    async def open(self, *intents: StepIntent) -> Sequence[StepRow]:
        """Store intents; all of them must be accepted."""
        rows = await self.journal.open_steps(self.id, intents)
        accepted = [row for row in rows if row is not None]
        if len(accepted) < len(rows):
            raise ValueError("the lane is not held under that token")
        return accepted

    async def close(self, *results: StepResult) -> Sequence[StepRow]:
        """Store results."""
        return await self.journal.close_steps(self.id, results)

    async def refuse(self, *refusals: Refusal) -> Sequence[StoredRow]:
        """Finish stored deliveries without running them."""
        return await self.journal.refuse(self.id, refusals)

    async def dump(self, *groups: str) -> Sequence[PortableRow]:
        """Return all rows of these groups."""
        return [row async for row in self.journal.dump(groups or (GROUP,))]

    async def bury(self, other: Member) -> Sequence[StoredRow]:
        """Declare another member dead, as seen now."""
        peers = {peer.id: peer for peer in await self.journal.peers(self.id)}
        return await self.journal.bury(self.id, peers[other.id]) if other.id in peers else ()

    async def finish_everything(self, group: str = GROUP) -> list[bytes]:
        """Take and finish all that can be had, sending what is unsent; return the heads in the order run."""
        heads: list[bytes] = []
        holdings = await self.journal.held(self.id)
        lanes = deque(holdings.lanes)
        await self.commit(sent=holdings.rows)
        while lanes or (lanes := deque(await self.take(16, group))):
            lane = lanes.popleft()
            if lane.pos is None:
                await self.commit(sent=lane.unsent)
                continue
            heads.append(lane.head)
            committed = await self.commit(done(lane), sent=lane.unsent)
            lanes.extend(committed.started)
        return heads


@dataclass(slots=True, kw_only=True)
class JournalMesh:
    """Several processes on one store."""

    connect: Callable[[], Journal]
    members: list[Member] = field(default_factory=list[Member])
    known: dict[tuple[str, TopicPartition], int] = field(default_factory=dict[tuple[str, TopicPartition], int])

    async def join(self, *groups: str) -> Member:
        """Connect and enter one more process."""
        journal = self.connect()
        await journal.start()
        me = await journal.join(groups or (GROUP,), "127.0.0.1:0")
        member = Member(journal=journal, id=me, known=self.known)
        self.members.append(member)
        return member

    async def aclose(self) -> None:
        """Disconnect every member."""
        for member in self.members:
            await member.journal.aclose()


@asynccontextmanager
async def journal_mesh(connect: Callable[[], Journal]) -> AsyncGenerator[JournalMesh]:
    """Open a mesh and disconnect its members at the end."""
    mesh = JournalMesh(connect=connect)
    try:
        yield mesh
    finally:
        await mesh.aclose()


async def eventually(read: Callable[[], Awaitable[T]]) -> T:
    """Call until the answer is true; the test's own time limit bounds it."""
    while not (value := await read()):  # noqa: ASYNC110 - another process changes it, no event tells
        await asyncio.sleep(0.005)
    return value


def by_lane(started: Sequence[Started]) -> Mapping[str, Started]:
    """Index lanes by their keys."""
    return {lane.key: lane for lane in started}
