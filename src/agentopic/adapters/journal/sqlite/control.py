"""Control in the SQLite journal (journal.md rule 10)."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from agentopic.adapters.journal.sqlite.cycles import cut_edge
from agentopic.adapters.journal.sqlite.ends import (
    drop_idle,
    end_waiting,
    give,
    is_begun,
    pack_addresses,
    unpack_addresses,
)
from agentopic.adapters.journal.sqlite.lanes import find_lane, new_lane, store_lanes
from agentopic.adapters.journal.sqlite.marks import advance
from agentopic.adapters.journal.sqlite.outbox import NewRows
from agentopic.adapters.journal.sqlite.steps import go_on, rouse
from agentopic.adapters.journal.sqlite.transaction import Transaction
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
    ReplyAddress,
)

_ANSWER = """
    UPDATE j_step SET result = ? WHERE turn = ? AND key = ? AND kind = 'human' AND result IS NULL RETURNING lane
"""
_MAIL = """
    SELECT j_lane.id, j_lane.token, ifnull(j_delivery.cancelled, 0), j_lane.paused
    FROM j_mail JOIN j_lane ON j_lane.id = j_mail.lane AND j_lane.owner = j_mail.process
    LEFT JOIN j_delivery ON j_delivery.pos = j_lane.running
    WHERE j_mail.process = ?
"""


def control(tx: Transaction, me: int, batch: ControlBatch) -> Controlled:
    """Apply commands in order and tell the holders."""
    tx.check_alive(me)
    stale = advance(tx, me, batch.group, batch.marks)
    desk = _Desk(tx, NewRows(tx, me))
    for place, row in batch.dead:
        if place not in stale:
            desk.rows.add(row)
    for command in batch.commands:
        if command.partition not in stale:
            desk.apply(command)
    return Controlled(stale=stale, rows=desk.rows.store(), notices=desk.notices())


@dataclass(slots=True)
class _Desk:
    """One batch being applied."""

    tx: Transaction
    rows: NewRows
    told: set[int] = field(default_factory=set[int])

    def apply(self, command: AnswerQuestion | CancelRequest | CancelRun | PauseLane) -> None:
        match command:
            case AnswerQuestion():
                self._answer(command)
            case CancelRequest():
                self._cancel(command)
            case CancelRun():
                self.tx.execute("INSERT OR IGNORE INTO j_run_cancel VALUES (?, ?)", command.run, self.tx.now)
                living = self.tx.rows("SELECT id FROM j_process WHERE ended_at IS NULL AND NOT has_left")
                self.told.update(process for (process,) in living)
            case PauseLane():
                self._pause(command)

    def notices(self) -> Sequence[Notice]:
        addresses = self.tx.rows_of("SELECT id, address FROM j_process WHERE id IN ({})", list(self.told))
        return [Notice(process=process, address=address) for process, address in sorted(set(addresses))]

    def _answer(self, command: AnswerQuestion) -> None:
        answered = self.tx.row(_ANSWER, command.result, command.turn, command.step)
        if answered is None:
            return
        cut_edge(self.tx, answered[0], command.step)
        delivery = self.tx.row("SELECT lane FROM j_delivery WHERE identity = ?", command.turn)
        if delivery is not None:
            go_on(self.tx, delivery[0], command.turn)
            self._stir(delivery[0])

    def _stir(self, lane: bytes) -> None:
        """Tell the holder; without one the lane is ready."""
        rouse(self.tx, lane)
        holder = self.tx.row("SELECT owner FROM j_lane WHERE id = ? AND owner IS NOT NULL", lane)
        if holder is not None:
            self.tx.execute("INSERT OR IGNORE INTO j_mail VALUES (?, ?)", holder[0], lane)
            self.told.add(holder[0])

    def _cancel(self, command: CancelRequest) -> None:
        asked = [] if command.reply_to is None else [command.reply_to]
        stored = self.tx.row("SELECT pos, lane, addresses FROM j_delivery WHERE identity = ?", command.identity)
        if stored is not None:
            self._end(command, stored[0], stored[1], [*unpack_addresses(stored[2]), *asked])
        elif self.tx.execute("INSERT OR IGNORE INTO j_seen VALUES (?, ?)", command.identity, self.tx.now):
            give(self.tx, self.rows, command.answer, asked)
            self._send(command)

    def _end(self, command: CancelRequest, pos: int, lane_id: bytes, addresses: Sequence[ReplyAddress]) -> None:
        """Mark a begun delivery, finish another."""
        lane = find_lane(self.tx, lane_id)
        if lane is None:
            return
        packed = pack_addresses(list(dict.fromkeys(addresses)))
        is_cancelled = is_begun(lane, pos)
        self.tx.execute("UPDATE j_delivery SET addresses = ?, cancelled = ? WHERE pos = ?", packed, is_cancelled, pos)
        if is_cancelled:
            self._stir(lane.id)
        else:
            end_waiting(self.tx, self.rows, lane, pos, outcome="cancelled", answer=command.answer)
            self._send(command)

    def _send(self, command: CancelRequest) -> None:
        for row in command.outbox:
            self.rows.add(row)

    def _pause(self, command: PauseLane) -> None:
        lane = find_lane(self.tx, command.lane)
        if lane is None and not command.paused:
            return
        if lane is None:
            lane = new_lane(self.tx, command.lane, command.group, command.key)
        lane.paused = int(command.paused)
        store_lanes(self.tx, [lane])
        if lane.owner is not None or not command.paused:
            self._stir(lane.id)
        drop_idle(self.tx, lane.id)


def has_mail(tx: Transaction, me: int) -> bool:
    """Whether there is any mail; a look that writes nothing."""
    tx.check_alive(me)
    return tx.row("SELECT 1 FROM j_mail WHERE process = ? LIMIT 1", me) is not None


def mail(tx: Transaction, me: int) -> Sequence[Letter]:
    """Empty this process's mail; lanes it has lost since are left out."""
    tx.check_alive(me)
    letters = [
        Letter(lane=lane, token=token, cancelled=bool(cancelled), paused=bool(paused))
        for lane, token, cancelled, paused in tx.rows(_MAIL, me)
    ]
    tx.execute("DELETE FROM j_mail WHERE process = ?", me)
    return letters


def cancelled_runs(tx: Transaction) -> AbstractSet[str]:
    """Return the runs cancelled within the last day."""
    return {run for (run,) in tx.rows("SELECT run FROM j_run_cancel WHERE at > ?", tx.now - RUN_SECONDS)}
