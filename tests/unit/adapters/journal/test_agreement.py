"""The memory and the SQLite journal, driven alike under one clock, answer alike to the last number."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions
from agentopic.errors import ProcessBuriedError
from agentopic.ports.journal import (
    ControlBatch,
    Finish,
    Incoming,
    MarkAdvance,
    ReplyAddress,
    Spend,
    Started,
    StateChange,
    StepIntent,
    StepResult,
)
from agentopic.testing.journal_commands import cancel, cancel_run, human_answer, pause
from agentopic.testing.journal_mesh import (
    CONTROL_GROUP,
    CONTROL_PLACE,
    GROUP,
    PLACE,
    AnyCommand,
    JournalMesh,
    answer,
    deferred,
    delivery,
    digest,
    done,
    intent,
    journal_mesh,
    output,
    parked,
    refusal,
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
            except ProcessBuriedError as refused:
                answers.append(str(refused))
        first, second = (sorted(plain(one), key=repr) if name == "mail" else plain(one) for one in answers)
        assert first == second, name
        return answers[0]


def plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__ if name != "gone"}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
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
        self.commands = 0

    async def step(self) -> None:
        self.time.now += self.random.choice([0.25, 1.0, 3.0])
        who = self.random.randrange(len(self.pair.meshes[0].members))
        calls = [self.intake] * 5 + [self.commit] * 6 + [self.take] * 3 + [self.steps] * 3
        calls += [self.control] * 2 + [self.refuse, self.ledger, self.rest]
        await self.random.choice(calls)(who)

    async def intake(self, who: int) -> None:
        number = self.random.randrange(30)
        address = ReplyAddress("test.replies", self.random.randrange(3)) if number % 2 else None
        request = f"r{number}" if number % 2 else None
        item = self.item(number, request, address)
        member = self.pair.meshes[0].members[who]
        dead = [(PLACE, output("dead"))] if self.random.random() < 0.1 else []
        batch = member.batch(item, dead=dead, free=self.random.randrange(3))
        taken = await self.pair.call(who, "intake", batch)
        if not isinstance(taken, str):
            if not taken.stale:
                member.known[GROUP, PLACE] = batch.marks[0].next
            self.seen.extend(taken.started)
            self.rows.extend(taken.rows)

    def item(self, number: int, request: str | None = None, address: ReplyAddress | None = None) -> Incoming:
        return delivery(
            str(number),
            f"k{number % 4}",
            request_id=request,
            reply_to=address,
            deadline_ms=number * 5000 if number % 5 == 0 else None,
            caller=digest(GROUP, f"k{number % 3}") if number % 2 else None,
        )

    async def take(self, who: int) -> None:
        taken = await self.pair.call(who, "take", {GROUP: 1})
        if not isinstance(taken, str):
            self.seen.extend(taken)
            self.rows.extend(row for lane in taken for row in lane.unsent)

    async def commit(self, who: int) -> None:
        lanes = {lane.lane: lane for lane in self.seen[-6:] if lane.pos is not None}
        turns = [self.end(lane) for lane in self.random.sample(list(lanes.values()), min(len(lanes), 2))]
        sent = self.rows[: self.random.randrange(4)]
        committed = await self.pair.call(who, "commit", turns, sent)
        if not isinstance(committed, str):
            self.rows = [*self.rows[len(sent) :], *committed.rows]
            self.seen.extend(committed.started)

    def end(self, lane: Started) -> Finish:
        chance = self.random.random()
        if chance < 0.2:
            return deferred(lane, self.random.choice([0.0, 5.0]), failed=chance < 0.1)
        if chance < 0.4:
            return parked(lane, "a", "h", delay_seconds=self.random.choice([None, 5.0]))
        return done(
            lane,
            outbox=[output(str(number)) for number in range(self.random.randrange(3))],
            state=self.state(lane),
            answer=answer("r" + lane.head.decode()) if int(lane.head) % 2 else None,
            outcome=self.random.choice(["done", "dead"]),
            hand_back=self.random.random() < 0.3,
            asked=self.random.random() < 0.7,
        )

    def state(self, lane: Started) -> StateChange | None:
        events = tuple(str(number).encode() for number in range(self.random.randrange(3)))
        snapshot = b"s" if not events or self.random.random() < 0.3 else None
        change = StateChange(expected=lane.version, snapshot=snapshot, events=events)
        return change if self.random.random() < 0.5 else None

    def intents(self, lane: Started) -> list[StepIntent]:
        callee = digest(GROUP, f"k{self.random.randrange(4)}")
        due = self.random.choice([None, 2.0, 9.0])
        choices = [
            intent(lane, "a"),
            intent(lane, "h", kind="human", note=b"?", due_seconds=due),
            intent(lane, "t", kind="timer", due_seconds=due, due_ms=1_010_000),
            intent(lane, "q", kind="request", callee=callee, outbox=(output("ask"),)),
        ]
        return self.random.sample(choices, self.random.randrange(1, 4))

    def results(self, lane: Started) -> list[StepResult]:
        value = str(self.time.now).encode()
        name = self.random.choice("ahtq")
        token = lane.token if self.random.random() < 0.3 else None
        spend = (Spend(scope="run/1", calls=1, micros=3),)
        return [replace(result(lane, name, value, lane=lane.lane, token=token), spend=spend)]

    async def steps(self, who: int) -> None:
        for lane in [lane for lane in self.seen[-2:] if lane.pos is not None]:
            opened = await self.pair.call(who, "open_steps", self.intents(lane))
            if not isinstance(opened, str):
                self.rows.extend(row for step in opened if step is not None for row in step.rows)
            if self.random.random() < 0.5:
                await self.pair.call(who, "close_steps", self.results(lane))

    async def control(self, who: int) -> None:
        number = self.random.randrange(30)
        address = ReplyAddress("test.replies", 9) if number % 3 else None
        commands: list[AnyCommand] = [
            cancel(self.item(number), answer(f"r{number}", b"cancelled"), reply_to=address),
            pause(f"k{number % 4}", paused=self.random.random() < 0.3),
            pause(f"k{number % 4}", paused=False),
            cancel_run(f"run-{number}"),
        ]
        commands.extend(human_answer(lane, "h", b"yes") for lane in self.seen[-1:])
        mark = MarkAdvance(partition=CONTROL_PLACE, known=self.commands or None, next=self.commands + 1)
        chosen = self.random.sample(commands, 2)
        controlled = await self.pair.call(
            who, "control", ControlBatch(group=CONTROL_GROUP, marks=[mark], commands=chosen)
        )
        if not isinstance(controlled, str):
            self.commands += not controlled.stale
            self.rows.extend(controlled.rows)

    async def refuse(self, who: int) -> None:
        number = self.random.randrange(30)
        reply = answer(f"r{number}", b"no") if number % 2 else None
        rows = await self.pair.call(who, "refuse", [refusal(self.item(number), answer=reply, outbox=[output("no")])])
        if not isinstance(rows, str):
            self.rows.extend(rows)

    async def ledger(self, who: int) -> None:
        request = f"own-{self.random.randrange(3)}"
        await self.pair.call(who, "open_request", request, "worker/k", self.random.choice([None, 10.0]))
        if self.random.random() < 0.5:
            await self.pair.call(who, "close_request", request, "done", b"42", 5.0)
        await self.pair.call(who, "spend", [Spend(scope="run/1", saved=1), Spend(scope="type/t", unpriced=2)])

    async def rest(self, who: int) -> None:
        await self.pair.call(who, "mail")
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
        assert plain(await one.questions([GROUP])) == plain(await two.questions([GROUP]))
        assert await one.cancelled_runs() == await two.cancelled_runs()
        assert await one.spent(["run/1", "type/t"]) == await two.spent(["run/1", "type/t"])
        assert await one.mentioned(["yes", "1"]) == await two.mentioned(["yes", "1"])
        for lane in {lane.lane for lane in self.seen}:
            assert await one.load(lane) == await two.load(lane)
        for turn in {lane.identity for lane in self.seen}:
            assert plain(await one.recorded(turn)) == plain(await two.recorded(turn))


@pytest.mark.parametrize("seed", range(8))
async def test_memory_and_sqlite_agree(tmp_path: Path, seed: int) -> None:
    time = Time()
    store = MemoryStore(now=lambda: time.now, wall=lambda: time.now)
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
        for mesh in meshes:
            await stop_all(mesh)
        assert await content(meshes[0]) == await content(meshes[1])


async def stop_all(mesh: JournalMesh) -> None:
    for member in mesh.members:
        try:
            await member.journal.leave(member.id)
        except ProcessBuriedError:
            continue


async def content(mesh: JournalMesh) -> Sequence[Any]:
    rows = [row async for row in mesh.members[0].journal.dump([GROUP])]
    return sorted(
        (row.table, sorted((name, repr(cell)) for name, cell in row.values.items() if name != "ordinal"))
        for row in rows
    )
