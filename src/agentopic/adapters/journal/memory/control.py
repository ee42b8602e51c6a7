"""Control in the memory journal (journal.md rule 10)."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from agentopic.adapters.journal.memory.cycles import cut_edge
from agentopic.adapters.journal.memory.ends import end_waiting, give
from agentopic.adapters.journal.memory.marks import advance
from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import LaneEntry
from agentopic.adapters.journal.waiting import RUN_SECONDS
from agentopic.ports.journal import (
    AnswerQuestion,
    CancelRequest,
    CancelRun,
    ControlBatch,
    Controlled,
    Letter,
    Notice,
    PauseLane,
    StoredRow,
)


def control(store: MemoryStore, me: int, batch: ControlBatch) -> Controlled:
    """Apply commands in order and tell the holders."""
    store.alive(me)
    stale = advance(store, me, batch.group, batch.marks)
    desk = _Desk(store, me)
    desk.rows.extend(store.add_process_row(me, row) for place, row in batch.dead if place not in stale)
    for command in batch.commands:
        if command.partition not in stale:
            desk.apply(command)
    return Controlled(stale=stale, rows=desk.rows, notices=desk.notices())


@dataclass(slots=True)
class _Desk:
    """One batch being applied."""

    store: MemoryStore
    me: int
    rows: list[StoredRow] = field(default_factory=list[StoredRow])
    told: set[int] = field(default_factory=set[int])

    def apply(self, command: AnswerQuestion | CancelRequest | CancelRun | PauseLane) -> None:
        match command:
            case AnswerQuestion():
                self._answer(command)
            case CancelRequest():
                self._cancel(command)
            case CancelRun():
                self.store.cancelled_runs.setdefault(command.run, self.store.now())
                self.told.update(process.id for process in self.store.processes.values() if process.is_living)
            case PauseLane():
                self._pause(command)

    def notices(self) -> Sequence[Notice]:
        return [Notice(process=process, address=self.store.processes[process].address) for process in sorted(self.told)]

    def _answer(self, command: AnswerQuestion) -> None:
        entry = self.store.steps.get(command.turn, {}).get(command.step)
        if entry is None or entry.row.kind != "human" or entry.row.result is not None:
            return
        entry.row = replace(entry.row, result=command.result)
        cut_edge(self.store, entry.lane, command.step)
        delivery = self.store.unfinished.get(command.turn)
        if delivery is not None:
            lane = self.store.lanes[delivery.lane]
            self.store.go_on(lane, command.turn)
            self._stir(lane)

    def _stir(self, lane: LaneEntry) -> None:
        """Tell the holder; without one the lane is ready."""
        self.store.rouse(lane)
        if lane.owner is not None:
            self.store.processes[lane.owner].mail[lane.id] = None
            self.told.add(lane.owner)

    def _cancel(self, command: CancelRequest) -> None:
        addresses = [] if command.reply_to is None else [command.reply_to]
        delivery = self.store.unfinished.get(command.identity)
        if delivery is None:
            if command.identity not in self.store.seen:
                self.store.seen[command.identity] = self.store.now()
                self.rows.extend(give(self.store, self.me, command.answer, addresses))
                self._send(command)
            return
        delivery.addresses.extend(address for address in addresses if address not in delivery.addresses)
        if delivery.attempts:
            delivery.cancelled = True
            self._stir(self.store.lanes[delivery.lane])
        else:
            self.rows.extend(end_waiting(self.store, self.me, delivery, "cancelled", command.answer))
            self._send(command)

    def _send(self, command: CancelRequest) -> None:
        self.rows.extend(self.store.add_process_row(self.me, row) for row in command.outbox)

    def _pause(self, command: PauseLane) -> None:
        lane = self.store.lanes.get(command.lane)
        if lane is None and not command.paused:
            return
        if lane is None:
            lane = self.store.add_lane(command.lane, command.group, command.key)
        lane.paused = command.paused
        if lane.owner is not None or not command.paused:
            self._stir(lane)
        if lane.owner is None and lane.is_idle:
            del self.store.lanes[lane.id]


def mail(store: MemoryStore, me: int) -> Sequence[Letter]:
    """Empty this process's mail; lanes it has lost since are left out."""
    process = store.alive(me)
    lanes = [store.lanes[lane] for lane in process.mail if lane in store.lanes and store.lanes[lane].owner == me]
    process.mail.clear()
    return [
        Letter(
            lane=lane.id,
            token=lane.token,
            cancelled=lane.running is not None and lane.deliveries[lane.running].cancelled,
            paused=lane.paused,
        )
        for lane in lanes
    ]


def cancelled_runs(store: MemoryStore) -> AbstractSet[str]:
    """Return the runs cancelled within the last day."""
    horizon = store.now() - RUN_SECONDS
    return {run for run, at in store.cancelled_runs.items() if at > horizon}
