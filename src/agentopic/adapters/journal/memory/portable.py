"""Carrying the memory journal's content over to another, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from agentopic.adapters.journal.carried import Cells, headers_text, outbox_identity
from agentopic.adapters.journal.memory.store import NEVER, MemoryStore
from agentopic.adapters.journal.memory.tables import (
    AgentEntry,
    DeliveryEntry,
    LaneEntry,
    ProcessEntry,
    SpendEntry,
    StepEntry,
)
from agentopic.errors import JournalError, ValueRefusedError
from agentopic.ports.journal import Answer, Cell, Outcome, PortableRow, Spend, StepRow, StoredRow, Table

OUTCOMES: dict[str, Outcome] = {"done": "done", "dead": "dead", "expired": "expired", "cancelled": "cancelled"}


def dump(store: MemoryStore, groups: Sequence[str]) -> list[PortableRow]:
    """Return all rows of these groups.

    Raises:
        JournalError: a process of one of the groups is alive.
    """
    for process in store.processes.values():
        if process.is_living and not set(groups).isdisjoint(process.groups):
            raise JournalError(f"process {process.id} of {', '.join(process.groups)} is alive: stop it first")
    lanes = {lane.id: lane for lane in store.lanes.values() if lane.group in groups}
    return [
        *_agents(store, groups),
        *(_lane(store, lane) for lane in lanes.values()),
        *(_delivery(entry) for lane in lanes.values() for entry in lane.deliveries.values()),
        *_steps(store, lanes),
        *(_row("seen", identity=identity, at_ms=store.wall_ms(at)) for identity, at in store.seen.items()),
        *_answers(store),
        *(_outbox(row) for lane in lanes.values() for row in lane.unsent.values()),
        *(_outbox(row) for _, row in store.process_rows.values()),
        *(PortableRow(table="spend", values=asdict(entry.spend)) for entry in store.spends.values()),
    ]


def _row(table: Table, **values: Cell) -> PortableRow:
    return PortableRow(table=table, values=values)


def _agents(store: MemoryStore, groups: Sequence[str]) -> Iterator[PortableRow]:
    agents = {lane: agent for lane, agent in store.agents.items() if agent.group in groups}
    for lane, agent in agents.items():
        yield _row(
            "agent",
            id=lane,
            group=agent.group,
            version=agent.version,
            snapshot=agent.snapshot,
            snapshot_version=agent.snapshot_version,
        )
    for lane, agent in agents.items():
        for version, value in agent.events.items():
            yield _row("event", id=lane, version=version, value=value)


def _lane(store: MemoryStore, lane: LaneEntry) -> PortableRow:
    head = lane.head()
    counts = (0, 0, 0) if head is None else (head.attempts, head.failures, head.crashes)
    attempts, failures, crashes = lane.carried or counts
    return _row(
        "lane",
        id=lane.id,
        group=lane.group,
        key=lane.key,
        attempts=attempts,
        failures=failures,
        crashes=crashes,
        ready_ms=None if lane.ready_at == NEVER else store.wall_ms(lane.ready_at),
        paused=lane.paused,
    )


def _delivery(entry: DeliveryEntry) -> PortableRow:
    return _row(
        "delivery",
        lane=entry.lane,
        pos=entry.pos,
        identity=entry.identity,
        head=entry.head,
        body=entry.body,
        request_id=entry.request_id,
        reply_topics=[address.topic for address in entry.addresses],
        reply_partitions=[address.partition for address in entry.addresses],
        deadline_ms=entry.deadline_ms,
        caller=entry.caller,
        cancelled=entry.cancelled,
    )


def _steps(store: MemoryStore, lanes: dict[bytes, LaneEntry]) -> Iterator[PortableRow]:
    for turn, steps in store.steps.items():
        delivery = store.unfinished.get(turn)
        if delivery is not None and delivery.lane not in lanes:
            continue
        for ordinal, entry in enumerate(steps.values(), 1):
            yield _row(
                "step",
                turn=turn,
                key=entry.row.key,
                ordinal=ordinal,
                lane=entry.lane,
                kind=entry.row.kind,
                name=entry.row.name,
                intent_ms=entry.opened_ms,
                due_ms=entry.row.due_ms,
                note=entry.note,
                result=entry.row.result,
            )


def _answers(store: MemoryStore) -> Iterator[PortableRow]:
    for answer, keep_until in store.answers.values():
        yield _row(
            "answer",
            request_id=answer.request_id,
            outcome=answer.outcome,
            key=answer.key,
            value=answer.value,
            headers=headers_text(answer.headers),
            keep_until_ms=store.wall_ms(keep_until),
        )


def _outbox(stored: StoredRow) -> PortableRow:
    row = stored.row
    return _row(
        "outbox",
        id=stored.id,
        lane=stored.lane,
        topic=row.topic,
        partition=row.partition,
        key=row.key,
        value=row.value,
        headers=headers_text(row.headers),
    )


def restore(store: MemoryStore, rows: Sequence[PortableRow]) -> int:
    """Store rows that are not there yet, all or none of them, and return how many."""
    restorer = _Restorer(store)
    calls = {
        "agent": restorer.agent,
        "event": restorer.event,
        "lane": restorer.lane,
        "delivery": restorer.delivery,
        "step": restorer.step,
        "seen": restorer.seen,
        "answer": restorer.answer,
        "outbox": restorer.outbox,
        "spend": restorer.spend,
    }
    before = store.copy()
    try:
        return sum(calls[row.table](Cells(row)) for row in rows)
    except ValueRefusedError:
        vars(store).update(before)
        raise


@dataclass(slots=True)
class _Restorer:
    """Takes rows in, one table after another."""

    store: MemoryStore
    former: int | None = None
    """A process that has left, from which the next one that lives adopts the rows that had no lane."""

    def agent(self, cells: Cells) -> bool:
        lane = cells.get("id", bytes)
        if lane in self.store.agents:
            return False
        version = cells.get("version", int)
        folded = cells.maybe("snapshot_version", int)
        self.store.agents[lane] = AgentEntry(
            group=cells.maybe("group", str) or "",
            version=version,
            snapshot=cells.maybe("snapshot", bytes),
            snapshot_version=version if folded is None else folded,
        )
        return True

    def event(self, cells: Cells) -> bool:
        agent = self.store.agents.get(cells.get("id", bytes))
        version = cells.get("version", int)
        if agent is None or version in agent.events or not agent.snapshot_version < version <= agent.version:
            return False
        agent.events[version] = cells.get("value", bytes)
        return True

    def lane(self, cells: Cells) -> bool:
        lane_id = cells.get("id", bytes)
        if lane_id in self.store.lanes:
            return False
        lane = self.store.add_lane(lane_id, cells.get("group", str), cells.get("key", str))
        ready_ms = cells.maybe("ready_ms", int)
        self.store.set_ready(lane, NEVER if ready_ms is None else self.store.from_wall_ms(ready_ms))
        lane.paused = cells.get("paused", bool)
        lane.carried = (cells.get("attempts", int), cells.get("failures", int), cells.get("crashes", int))
        return True

    def _known_lane(self, lane: bytes) -> LaneEntry:
        if lane not in self.store.lanes:
            raise ValueRefusedError(f"a row belongs to lane {lane.hex()}, which is not there")
        return self.store.lanes[lane]

    def delivery(self, cells: Cells) -> bool:
        identity = cells.get("identity", bytes)
        if identity in self.store.seen or identity in self.store.unfinished:
            return False
        lane = self._known_lane(cells.get("lane", bytes))
        entry = DeliveryEntry(
            pos=next(self.store.positions),
            lane=lane.id,
            identity=identity,
            head=cells.get("head", bytes),
            body=cells.maybe("body", bytes),
            request_id=cells.maybe("request_id", str),
            addresses=list(cells.addresses()),
            deadline_ms=cells.maybe("deadline_ms", int),
            caller=cells.maybe("caller", bytes),
            cancelled=cells.get("cancelled", bool),
        )
        if lane.carried is not None:
            (entry.attempts, entry.failures, entry.crashes), lane.carried = lane.carried, None
        lane.deliveries[entry.pos] = self.store.unfinished[identity] = entry
        self.store.seen[identity] = self.store.now()
        return True

    def step(self, cells: Cells) -> bool:
        turn, key = cells.get("turn", bytes), cells.get("key", bytes)
        is_over = turn in self.store.seen and turn not in self.store.unfinished
        if is_over or key in self.store.steps.get(turn, {}):
            return False
        opened_ms = cells.get("intent_ms", int)
        row = StepRow(
            key=key,
            kind=cells.get("kind", str),
            name=cells.get("name", str),
            result=cells.maybe("result", bytes),
            due_ms=cells.maybe("due_ms", int),
        )
        self.store.steps.setdefault(turn, {})[key] = StepEntry(
            row=row,
            lane=cells.maybe("lane", bytes) or b"",
            note=cells.maybe("note", bytes),
            opened_at=self.store.from_wall_ms(opened_ms),
            opened_ms=opened_ms,
        )
        return True

    def seen(self, cells: Cells) -> bool:
        return self._note(cells.get("identity", bytes), self.store.from_wall_ms(cells.get("at_ms", int)))

    def _note(self, identity: bytes, at: float) -> bool:
        if identity in self.store.seen:
            return False
        self.store.seen[identity] = at
        return True

    def answer(self, cells: Cells) -> bool:
        request_id, outcome = cells.get("request_id", str), OUTCOMES.get(cells.get("outcome", str))
        if outcome is None:
            raise ValueRefusedError(f"the answer of request {request_id} has an unknown outcome")
        if request_id in self.store.answers:
            return False
        keep_until = self.store.from_wall_ms(cells.get("keep_until_ms", int))
        answer = Answer(
            request_id=request_id,
            outcome=outcome,
            key=cells.maybe("key", bytes),
            value=cells.maybe("value", bytes),
            headers=cells.headers(),
            keep_seconds=keep_until - self.store.now(),
        )
        self.store.answers[request_id] = (answer, keep_until)
        return True

    def outbox(self, cells: Cells) -> bool:
        lane, row = cells.maybe("lane", bytes), cells.outbox_row()
        if not self._note(outbox_identity(lane, row), self.store.now()):
            return False
        if lane is None:
            self.store.add_process_row(self._former(), row)
        else:
            self.store.add_lane_row(self._known_lane(lane), row)
        return True

    def _former(self) -> int:
        if self.former is None:
            self.former = next(self.store.ids)
            self.store.processes[self.former] = ProcessEntry(id=self.former, groups=(), address="", left=True)
        return self.former

    def spend(self, cells: Cells) -> bool:
        scope = cells.get("scope", str)
        if scope in self.store.spends:
            return False
        counts = {name: cells.maybe(name, int) or 0 for name in asdict(Spend(scope="")) if name != "scope"}
        self.store.spends[scope] = SpendEntry(spend=Spend(scope=scope, **counts), at=self.store.now())
        return True
