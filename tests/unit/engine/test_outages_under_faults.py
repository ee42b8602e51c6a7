"""Outages at the worst moment: while a process stops, while an answer is on its way, while a position is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from agentopic.adapters.clock import SystemClock
from agentopic.adapters.journal.memory import MemoryJournal
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryReader, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.core import AgentId, ClosureAgent, ClosureContext, MessageContext, TypeSubscription
from agentopic.engine.ledger import run_scope
from agentopic.engine.options import EngineOptions
from agentopic.engine.request_ids import AskingStep, request_id
from agentopic.engine.requests import Asking, Requests
from agentopic.engine.runtime import EngineRuntime
from agentopic.envelope import Envelope
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.errors import OffsetOutOfRangeError, TransportError, UnreachableError
from agentopic.ports.admin import OffsetRange
from agentopic.ports.journal import ReplyAddress, Spend, StepIntent, StepResult
from agentopic.ports.transport import OutgoingRecord, Record, Sent, TopicPartition

from .faulty_journal import FaultyJournal, When
from .test_writer import Desk
from .town import NS, Note, Town, nothing, seeing, topic, until

CLERK = AgentId("clerk", "k")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await desk.open()
    yield desk
    desk.task.cancel()
    await asyncio.wait({desk.task})


# ── the journal ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_process_stops_though_the_journal_is_away_and_the_ledger_not_written(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agentopic.engine.incarnation.FLUSH_SECONDS", 0.1)
    journal = FaultyJournal(town.store)
    runtime = town.runtime(journal=journal, drain_seconds=0.1)
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()
    await runtime.send_message(Note(), CLERK)

    runtime._metering.ledger.book([Spend(scope=run_scope("r"), calls=1)])
    journal.outage = True
    async with asyncio.timeout(5):
        await runtime.stop()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_result_whose_storing_broke_is_stored_and_billed_once(desk: Desk, when: When):
    (started,) = await desk.take_in("a")
    intent = StepIntent(
        lane=started.lane,
        token=started.token,
        pos=started.pos or 0,
        turn=started.identity,
        key=b"s" * 16,
        kind="model",
        name="m",
    )
    await desk.writer.open_step(intent)
    desk.journal.break_next("close_steps", when)

    bill = Spend(scope="run/r", calls=1)
    result = StepResult(turn=started.identity, key=b"s" * 16, result=b"paid", spend=(bill,))
    row = await desk.writer.close_step(result)

    assert row.result == b"paid"
    assert (await desk.journal.spent(["run/r"]))["run/r"].calls == 1


# ── the broker ─────────────────────────────────────────────────────────────────────────────────────────────


class Trouble:
    """What goes wrong next with the readers of one group."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.lost: TopicPartition | None = None
        self.failures = 0


class LosingReader(MemoryReader):
    """A reader whose position is gone once `lost` is set, until it is assigned anew."""

    def __init__(self, log: MemoryLog, group: str, trouble: Trouble) -> None:
        super().__init__(log, group)
        self._trouble = trouble

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        await super().assign(positions)
        if self._trouble.lost in positions and not self._trouble.failures:
            self._trouble.lost = None

    async def read(self, max_records: int, timeout_seconds: float) -> Sequence[Record]:
        if self._trouble.lost is not None:
            await asyncio.sleep(0)
            raise OffsetOutOfRangeError(self._trouble.lost.topic, self._trouble.lost.partition, 0)
        return await super().read(max_records, min(timeout_seconds, 0.05))


class TroubledTransport(MemoryTransport):
    """A transport whose readers of one group lose their position."""

    def __init__(self, log: MemoryLog, trouble: Trouble) -> None:
        super().__init__(log)
        self._trouble = trouble

    async def reader(self, group: str) -> MemoryReader:
        if group != self._trouble.group and not group.startswith(f"{self._trouble.group}."):
            return await super().reader(group)
        return LosingReader(self.log, group, self._trouble)


class TroubledAdmin(MemoryAdmin):
    """An admin that cannot say what a partition holds while its reader has lost its place, so many times."""

    def __init__(self, log: MemoryLog, trouble: Trouble) -> None:
        super().__init__(log)
        self._trouble = trouble

    async def offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, OffsetRange]:
        if self._trouble.lost is not None and self._trouble.failures:
            self._trouble.failures -= 1
            raise TransportError("the broker is away")
        return await super().offsets(partitions)


async def troubled(town: Town, trouble: Trouble, seen: list[Note]) -> EngineRuntime:
    """Return a running process with this trouble to come."""
    runtime = town.runtime(transport=TroubledTransport(town.log, trouble), lease_seconds=1.0)
    runtime.mesh = replace(runtime.mesh, admin=TroubledAdmin(town.log, trouble))
    runtime.catalog._admin = runtime.mesh.admin
    runtime._links.listener._mesh = runtime.mesh
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()
    return runtime


async def test_replies_are_heard_again_after_a_lost_position_and_a_broker_that_was_away(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agentopic.engine.listener.RETRY_SECONDS", 0.01)
    trouble = Trouble(f"{NS}.replies")
    runtime = await troubled(town, trouble, [])
    assert await runtime.send_message(Note(), CLERK) is None
    trouble.failures = 2
    trouble.lost = TopicPartition(f"{NS}.replies", int(runtime._links.listener.address.split("/")[1].split("#")[0]))
    await until(lambda: trouble.lost is None, "its place is found again")

    async with asyncio.timeout(5):
        assert await runtime.send_message(Note(), CLERK) is None


async def test_a_lost_position_is_looked_for_until_the_broker_answers(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agentopic.engine.partitions.COMMIT_SECONDS", 0.01)
    seen = list[Note]()
    trouble = Trouble(f"{NS}.clerk")
    runtime = await troubled(town, trouble, seen)
    trouble.failures = 2
    trouble.lost = TopicPartition(f"{NS}.topic.clerk", 0)
    await until(lambda: trouble.lost is None, "its place is found again")

    await runtime.publish_message(Note(text="still there"), topic("clerk"))
    await until(lambda: bool(seen), "it is read")


class ShyTransport(MemoryTransport):
    """A transport that gives no reader while `away` is set."""

    away = False

    async def reader(self, group: str) -> MemoryReader:
        if self.away:
            raise UnreachableError("the broker is away")
        return await super().reader(group)


async def test_a_process_that_begins_anew_while_the_broker_is_away_reads_once_it_is_back(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agentopic.engine.partitions.COMMIT_SECONDS", 0.01)
    seen, transport = list[Note](), ShyTransport(town.log)
    runtime = town.runtime(transport=transport, lease_seconds=0.6)
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()
    first = runtime._links.incarnation()
    assert first is not None

    transport.away = True
    journal = MemoryJournal(town.store)
    other = await journal.join([], "")
    for peer in await journal.peers(other):
        await journal.bury(other, peer)
    await journal.leave(other)
    await until(lambda: runtime._links.incarnation() not in {None, first}, "it begins anew")
    transport.away = False
    await runtime.publish_message(Note(), topic("clerk"))

    await until(lambda: bool(seen), "it reads")


# ── answers on their way ───────────────────────────────────────────────────────────────────────────────────


class Post:
    """The requests of a process, its answers kept for turns, and a sender that fails at will."""

    def __init__(self) -> None:
        self.kept = list[tuple[AskingStep, Envelope]]()
        self.sent = list[OutgoingRecord]()
        self.failures = 0
        mine: Any = self
        self.requests = Requests(
            mine, mine, mine, EngineOptions(namespace=NS), owner=mine, clock=SystemClock(), keep=self._keep
        )

    def _keep(self, step: AskingStep, answer: Envelope) -> None:
        self.kept.append((step, answer))

    def owns(self, agent: AgentId) -> bool:
        return False

    def on(self, kind: str, hear: Any) -> None: ...

    async def open(self) -> ReplyAddress:
        return ReplyAddress("replies", 0)

    async def require(self, topic: str) -> None: ...

    async def send(self, record: OutgoingRecord) -> Sent:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise TransportError("the broker is away")
        self.sent.append(record)
        return Sent(0, len(self.sent))


STEP = AskingStep(b"l" * 16, b"t" * 16, b"k" * 16)


def asking() -> Asking:
    request = Envelope(id=request_id(STEP), source="/town/agents/clerk/k", type="t")
    return Asking(request=request, recipient=CLERK, timeout_seconds=None, lasting=ReplyAddress("control", 3))


def reply() -> Envelope:
    return Envelope(id="reply", source="/a", type="t", extensions={names.AGREQUESTID: request_id(STEP)})


async def test_an_answer_that_comes_as_its_turn_is_unwound_is_kept_for_it():
    post = Post()
    waiting = asyncio.ensure_future(post.requests.ask(asking()))
    await until(lambda: bool(post.sent), "it is asked")

    post.requests.resolve(reply())
    waiting.cancel()
    await asyncio.wait({waiting})

    assert [step for step, _ in post.kept] == [STEP]


async def test_where_an_answer_shall_go_is_said_until_the_broker_has_heard_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agentopic.engine.requests.RETRY_SECONDS", 0.01)
    post = Post()
    waiting = asyncio.ensure_future(post.requests.ask(asking()))
    await until(lambda: bool(post.sent), "it is asked")

    post.failures = 2
    waiting.cancel()
    await until(lambda: len(post.sent) == 2, "it is asked again")

    assert dict(post.sent[1].headers)["ce_agreplyto"] == b"control/3"
    await post.requests.aclose()


# ── poison among the replies ───────────────────────────────────────────────────────────────────────────────


async def test_a_command_that_cannot_be_answered_does_not_deafen_its_process(town: Town):
    runtime = town.runtime()
    await ClosureAgent.register_closure(runtime, "ear", listen)
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()
    listener = runtime._links.listener
    topic_name, _, partition = listener.address.partition("#")[0].rpartition("/")
    poison = Envelope(
        id="p",
        source="/anybody",
        type="agentopic.Cancel.v1",
        datacontenttype="application/json",
        data=b'{"request_id": "r", "source": "no source \\u0000", "id": "i"}',
        extensions={
            names.AGMSGKIND: names.KIND_CONTROL,
            names.AGTARGETTYPE: f"ear.p-{listener.id}",
            names.AGTARGETKEY: "default",
        },
    )
    message = encode(poison)

    record = OutgoingRecord(
        topic=topic_name, key=None, value=message.value, headers=message.headers, partition=int(partition)
    )
    await runtime.mesh.transport.send([record])

    async with asyncio.timeout(5):
        assert await runtime.send_message(Note(), CLERK) is None


async def test_an_event_with_an_impossible_topic_does_not_deafen_an_agent_that_lives_with_its_process(town: Town):
    heard = list[Note]()

    async def note(_context: ClosureContext, message: Note, _ctx: MessageContext) -> None:
        heard.append(message)

    runtime = town.runtime()
    await ClosureAgent.register_closure(runtime, "ear", note, subscriptions=lambda: [TypeSubscription("clerk", "ear")])
    await runtime.start()
    await until(lambda: runtime._residence.listens_to(f"{NS}.topic.clerk"), "it listens")

    poison = {"ce_specversion": b"1.0", "ce_id": b"p", "ce_source": b"/s", "ce_type": b"t", "ce_agtopictype": b"a b/%"}
    record = OutgoingRecord(topic=f"{NS}.topic.clerk", key=b"k", value=b"{}", headers=tuple(poison.items()))
    await runtime.mesh.transport.send([record])
    await runtime.publish_message(Note(text="after it"), topic("clerk"))

    await until(lambda: bool(heard), "what comes after it is heard")


async def listen(_context: ClosureContext, message: Note, _ctx: MessageContext) -> None: ...
