"""The memory and the SQLite journal, driven alike under one clock, answer alike to the last number."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions
from agentopic.errors import ProcessBuriedError
from agentopic.ports.journal import ReplyAddress, Started, StateChange
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    JournalMesh,
    answer,
    deferred,
    delivery,
    done,
    intent,
    journal_mesh,
    output,
    result,
)


@dataclass
class Time:
    now: float = 1000.0


@dataclass
class Pair:
    """The same call on both meshes; their answers must be equal."""

    meshes: Sequence[JournalMesh]
    lanes: dict[int, dict[bytes, Started]] = field(default_factory=dict)

    async def call(self, who: int, name: str, *args: Any) -> Any:
        answers: list[Any] = []
        for mesh in self.meshes:
            member = mesh.members[who]
            try:
                answers.append(await getattr(member.journal, name)(member.id, *args))
            except ProcessBuriedError as refusal:
                answers.append(str(refusal))
        first, second = (plain(one) for one in answers)
        assert first == second, name
        return answers[0]


def plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__ if name != "gone"}
    if isinstance(value, set | frozenset | list | tuple):
        parts = [plain(part) for part in value]
        return sorted(parts, key=repr) if isinstance(value, set | frozenset) else parts
    return value


class Play:
    """Random calls of two or three processes, without a thought for what makes sense."""

    def __init__(self, pair: Pair, time: Time, seed: int) -> None:
        self.pair = pair
        self.time = time
        self.random = random.Random(seed)
        self.seen: list[Started] = []
        self.rows: list[Any] = []

    async def step(self) -> None:
        self.time.now += self.random.choice([0.25, 1.0, 3.0])
        who = self.random.randrange(len(self.pair.meshes[0].members))
        calls = [self.intake] * 5 + [self.commit] * 6 + [self.take] * 3 + [self.steps] * 2 + [self.rest]
        await self.random.choice(calls)(who)

    async def intake(self, who: int) -> None:
        number = self.random.randrange(30)
        address = ReplyAddress("test.replies", self.random.randrange(3)) if number % 2 else None
        request = f"r{number}" if number % 2 else None
        item = delivery(str(number), f"k{number % 4}", request_id=request, reply_to=address)
        member = self.pair.meshes[0].members[who]
        dead = [(PLACE, output("dead"))] if self.random.random() < 0.1 else []
        batch = member.batch(item, dead=dead, free=self.random.randrange(3))
        taken = await self.pair.call(who, "intake", batch)
        if not isinstance(taken, str):
            if not taken.stale:
                member.known[GROUP, PLACE] = batch.marks[0].next
            self.seen.extend(taken.started)
            self.rows.extend(taken.rows)

    async def take(self, who: int) -> None:
        taken = await self.pair.call(who, "take", {GROUP: 1})
        if not isinstance(taken, str):
            self.seen.extend(taken)
            self.rows.extend(row for lane in taken for row in lane.unsent)

    async def commit(self, who: int) -> None:
        lanes = {lane.lane: lane for lane in self.seen[-6:] if lane.pos is not None}
        turns: list[Any] = []
        for lane in self.random.sample(list(lanes.values()), min(len(lanes), 2)):
            state = StateChange(expected=lane.version, snapshot=b"s") if self.random.random() < 0.5 else None
            rows = [output(str(number)) for number in range(self.random.randrange(3))]
            reply = answer("r" + lane.head.decode()) if int(lane.head) % 2 else None
            back = self.random.random() < 0.3
            if self.random.random() < 0.3:
                turns.append(deferred(lane, self.random.choice([0.0, 5.0]), failed=back))
            else:
                turns.append(done(lane, outbox=rows, state=state, answer=reply, hand_back=back))
        sent = self.rows[: self.random.randrange(4)]
        committed = await self.pair.call(who, "commit", turns, sent)
        if not isinstance(committed, str):
            self.rows = [*self.rows[len(sent) :], *committed.rows]
            self.seen.extend(committed.started)

    async def steps(self, who: int) -> None:
        for lane in [lane for lane in self.seen[-2:] if lane.pos is not None]:
            await self.pair.call(who, "open_steps", [intent(lane, "a"), intent(lane, str(self.random.randrange(3)))])
            await self.pair.call(who, "close_steps", [result(lane, "a", str(self.time.now).encode())])

    async def rest(self, who: int) -> None:
        await self.pair.call(who, "lease", GROUP, [PLACE])
        peers = await self.pair.call(who, "peers")
        if self.random.random() < 0.2:
            await self.pair.call(who, "leave")
        elif not isinstance(peers, str) and peers and self.random.random() < 0.5:
            await self.pair.call(who, "bury", peers[0])
        if self.random.random() < 0.3:
            for mesh in self.pair.meshes:
                await mesh.members[who].journal.sweep(20.0)
        if self.random.random() < 0.5:
            for mesh in self.pair.meshes:
                await mesh.join()

    async def compare(self) -> None:
        for who in range(len(self.pair.meshes[0].members)):
            shown: list[Any] = []
            for mesh in self.pair.meshes:
                member = mesh.members[who]
                try:
                    holdings = await member.journal.held(member.id)
                    lanes = sorted(holdings.lanes, key=lambda lane: lane.lane)
                    shown.append(plain([lanes, sorted(holdings.rows)]))
                except ProcessBuriedError:
                    shown.append(None)
            assert shown[0] == shown[1]
        one, two = (mesh.members[0].journal for mesh in self.pair.meshes)
        assert await one.backlog([GROUP]) == await two.backlog([GROUP])
        for lane in {lane.lane for lane in self.seen}:
            assert await one.load(lane) == await two.load(lane)
        for turn in {lane.identity for lane in self.seen}:
            assert plain(await one.recorded(turn)) == plain(await two.recorded(turn))


@pytest.mark.parametrize("seed", range(8))
async def test_memory_and_sqlite_agree(tmp_path: Path, seed: int) -> None:
    time = Time()
    store = MemoryStore(now=lambda: time.now)
    options = SqliteOptions(path=tmp_path / "journal.db", now=lambda: time.now)
    async with AsyncExitStack() as stack:
        meshes = [
            await stack.enter_async_context(journal_mesh(lambda: MemoryJournal(store))),
            await stack.enter_async_context(journal_mesh(lambda: SqliteJournal(options))),
        ]
        for mesh in meshes:
            await mesh.join()
            await mesh.join()
        play = Play(Pair(meshes), time, seed)

        for _ in range(150):
            await play.step()

        await play.compare()
