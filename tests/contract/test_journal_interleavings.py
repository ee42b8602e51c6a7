from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from agentopic.errors import ProcessBuriedError
from agentopic.ports.journal import Incoming, IntakeBatch, MarkAdvance, Started, StoredRow
from agentopic.ports.transport import TopicPartition
from agentopic.testing.journal_commands import human_answer
from agentopic.testing.journal_mesh import (
    GROUP,
    JournalMesh,
    Member,
    deferred,
    delivery,
    digest,
    done,
    intent,
    output,
    parked,
    reply,
)

PLACES = [TopicPartition("test.topic.task", partition) for partition in range(3)]
KEYS = [f"k{number}" for number in range(4)]


@dataclass(kw_only=True)
class Checker:
    """What no interleaving may break, seen from outside the journal."""

    source: dict[TopicPartition, list[Incoming]]
    workers: list[Worker] = field(default_factory=list)
    holders: dict[bytes, Worker] = field(default_factory=dict)
    finished: dict[bytes, list[tuple[int, bytes]]] = field(default_factory=dict)
    outputs: dict[int, StoredRow] = field(default_factory=dict)
    sent: set[int] = field(default_factory=set)
    asked: list[tuple[Started, str]] = field(default_factory=list)

    def start(self, worker: Worker, lanes: Sequence[Started]) -> None:
        for lane in lanes:
            holder = self.holders.get(lane.lane)
            assert holder is None or holder is worker or holder.doomed, "two processes hold one lane"
            self.holders[lane.lane] = worker

    def finish(self, lane: Started) -> None:
        assert lane.pos is not None
        self.finished.setdefault(lane.lane, []).append((lane.pos, lane.head))

    def done(self) -> bool:
        return sum(map(len, self.finished.values())) == sum(map(len, self.source.values()))

    def verdict(self) -> None:
        outputs: dict[bytes, list[bytes]] = {}
        for row in sorted(self.outputs.values()):
            assert row.lane is not None
            assert row.row.value is not None
            outputs.setdefault(row.lane, []).append(row.row.value)
        for place in PLACES:
            for key in KEYS:
                lane = digest(GROUP, f"{key}-{place.partition}")
                expected = [item.head for item in self.source[place] if item.lane == lane]
                assert [head for _, head in sorted(self.finished.get(lane, []))] == expected
                assert outputs.get(lane, []) == expected
        assert self.sent == set(self.outputs)


@dataclass(kw_only=True, eq=False)
class Worker:
    """A process that does at random what the engine does, and sometimes loses an answer."""

    member: Member
    mesh: JournalMesh
    checker: Checker
    random: random.Random
    lanes: dict[bytes, Started] = field(default_factory=dict)
    unsent: list[StoredRow] = field(default_factory=list)
    doomed: bool = False

    async def work(self, turns: int) -> None:
        actions = [self.read, self.take, self.finish, self.park, self.answer, self.acknowledge, self.bury]
        weights = [4, 4, 16, 3, 4, 6, 0.3]
        for _ in range(turns):
            await asyncio.sleep(0)
            try:
                await self.random.choices(actions, weights)[0]()
                if self.random.random() < 0.1:
                    await self.read_back()
            except ProcessBuriedError:
                assert self.doomed
                await self.rejoin()
                return

    async def rejoin(self) -> None:
        self.checker.workers.remove(self)
        fresh = Worker(member=await self.mesh.join(), mesh=self.mesh, checker=self.checker, random=self.random)
        self.checker.workers.append(fresh)
        await fresh.work(40)

    def adopt(self, lanes: Sequence[Started]) -> None:
        self.checker.start(self, lanes)
        for lane in lanes:
            self.lanes[lane.lane] = lane
            self.unsent.extend(row for row in lane.unsent if row not in self.unsent)
            self.checker.outputs.update((row.id, row) for row in lane.unsent)

    async def read(self) -> None:
        marks = await self.member.journal.lease(self.member.id, GROUP, PLACES)
        advances: list[MarkAdvance] = []
        deliveries: list[Incoming] = []
        for place, known in marks.items():
            count = self.random.randint(0, 3)
            deliveries.extend(self.checker.source[place][known or 0 :][:count])
            following = min((known or 0) + count, len(self.checker.source[place]))
            advances.append(MarkAdvance(partition=place, known=known, next=following))
        batch = IntakeBatch(group=GROUP, marks=advances, deliveries=deliveries, free=max(0, 3 - len(self.lanes)))
        taken = await self.member.journal.intake(self.member.id, batch)
        assert taken.repeats == 0
        self.adopt(taken.started)

    async def take(self) -> None:
        self.adopt(await self.member.take(max(0, 3 - len(self.lanes))))

    async def finish(self) -> None:
        lanes = [lane for lane in self.lanes.values() if lane.pos is not None]
        for lane in self.random.sample(lanes, self.random.randint(0, len(lanes))):
            del self.lanes[lane.lane]
            del self.checker.holders[lane.lane]
            if self.random.random() < 0.2:
                committed = await self.member.commit(deferred(lane, 0.0))
            else:
                turn = done(lane, outbox=[output(lane.head.decode())], hand_back=self.random.random() < 0.2)
                committed = await self.member.commit(turn)
                self.checker.finish(lane)
            assert not committed.lost
            self.checker.outputs.update((row.id, row) for row in committed.rows)
            self.unsent.extend(committed.rows)
            self.adopt(committed.started)

    async def park(self) -> None:
        """Ask somebody and give the lane up until the answer is there."""
        lanes = [lane for lane in self.lanes.values() if lane.pos is not None]
        if not lanes:
            return
        lane = self.random.choice(lanes)
        name = f"ask {lane.token} {len(self.checker.asked)}"
        self.checker.asked.append((lane, name))
        await self.member.open(intent(lane, name, kind="human"))
        del self.lanes[lane.lane]
        del self.checker.holders[lane.lane]
        committed = await self.member.commit(parked(lane, name))
        assert not committed.lost

    async def answer(self) -> None:
        """Answer what was asked, by a command or as a reply; who asks may not have come that far."""
        for lane, name in list(self.checker.asked):
            if self.random.random() < 0.5:
                await self.member.control(human_answer(lane, name, b"yes"))
            (row,) = await self.member.close(reply(lane, name, b"yes"))
            if row.kind == "human" and (lane, name) in self.checker.asked:
                self.checker.asked.remove((lane, name))

    async def acknowledge(self) -> None:
        sent = self.unsent[: self.random.randint(0, len(self.unsent))]
        for lane in {row.lane for row in sent if row.lane is not None}:
            if lane not in self.lanes or self.lanes[lane].pos is None:
                self.lanes.pop(lane, None)
                self.checker.holders.pop(lane, None)
        await self.member.commit(sent=sent)
        self.checker.sent.update(row.id for row in sent)
        self.unsent = self.unsent[len(sent) :]

    async def read_back(self) -> None:
        holdings = await self.member.journal.held(self.member.id)
        shown = {lane.lane: lane for lane in holdings.lanes if lane.pos is not None}
        known = {lane.lane: lane for lane in self.lanes.values() if lane.pos is not None}
        assert {lane: (held.pos, held.token) for lane, held in shown.items()} == {
            lane: (held.pos, held.token) for lane, held in known.items()
        }
        assert sorted(row for lane in holdings.lanes for row in lane.unsent) == sorted(self.unsent)

    async def bury(self) -> None:
        others = [worker for worker in self.checker.workers if worker is not self and not worker.doomed]
        if others and not self.doomed:
            victim = self.random.choice(others)
            victim.doomed = True
            await self.member.bury(victim.member)


@pytest.mark.parametrize("seed", range(6))
async def test_no_interleaving_loses_repeats_or_reorders_a_delivery(mesh: JournalMesh, seed: int) -> None:
    source = {
        place: [
            delivery(f"{place.partition}-{number}", f"{key}-{place.partition}", place=place)
            for number, key in enumerate(random.Random(seed).choices(KEYS, k=25))
        ]
        for place in PLACES
    }
    checker = Checker(source=source)
    for number in range(3):
        checker.workers.append(
            Worker(member=await mesh.join(), mesh=mesh, checker=checker, random=random.Random(f"{seed}-{number}"))
        )

    await asyncio.gather(*(worker.work(60) for worker in list(checker.workers)))
    last = Worker(member=await mesh.join(), mesh=mesh, checker=checker, random=random.Random(seed))
    for worker in checker.workers:
        worker.doomed = True
        await last.member.bury(worker.member)
    for _ in range(400):
        if checker.done() and not last.unsent and not last.lanes:
            break
        for action in (last.read, last.take, last.answer, last.finish, last.acknowledge):
            await action()

    checker.verdict()
    backlog = await last.member.journal.backlog([GROUP])
    assert (backlog[GROUP].deliveries, backlog[GROUP].unsent) == (0, 0)
    assert not await last.member.take(100)
