"""Finishing turns in the SQLite journal (journal.md section 3, `commit`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentopic.adapters.journal.sqlite.agents import store_states
from agentopic.adapters.journal.sqlite.ends import end_waiting, give, unpack_addresses
from agentopic.adapters.journal.sqlite.lanes import (
    NEVER,
    Lane,
    find_heads,
    find_lane,
    find_lanes,
    find_versions,
    release,
    show_lane,
    store_lanes,
)
from agentopic.adapters.journal.sqlite.outbox import NewRows, drop_rows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import (
    Committed,
    Finish,
    Refusal,
    ReplyAddress,
    Started,
    StateChange,
    StoredRow,
    TurnDeferred,
    TurnDone,
    TurnParked,
)


def commit(tx: Transaction, me: int, turns: Sequence[Finish], sent: Sequence[StoredRow]) -> Committed:
    """Finish turns and drop acknowledged rows; a lost lane changes nothing."""
    tx.check_alive(me)
    ending = _Ending(tx, me, turns)
    for turn in turns:
        ending.end(turn)
    rows = ending.write()
    drop_rows(tx, sent)
    unsent = {row.lane for row in rows}
    ended = [lane.id for lane in ending.lanes.values() if lane.running is None and lane.id not in ending.lost]
    touched = [*ended, *(row.lane for row in sent if row.lane is not None)]
    release(tx, me, [lane for lane in touched if lane not in unsent])
    return Committed(lost=ending.lost, started=ending.started(), rows=rows)


class _Ending:
    """Gathers what the ends of some turns store: everything is read together and written together."""

    def __init__(self, tx: Transaction, me: int, turns: Sequence[Finish]) -> None:
        self._tx = tx
        self._me = me
        self._rows = NewRows(tx, me)
        self.lost: set[bytes] = set()
        self.lanes = find_lanes(tx, [turn.lane for turn in turns])
        self._versions = find_versions(tx, list(self.lanes))
        self._addresses = _addresses(tx, turns)
        self._cancelled = _cancelled(tx, turns)
        self._changed: dict[bytes, Lane] = {}
        self._going: list[Lane] = []
        self._done: list[TurnDone] = []
        self._states: list[tuple[Lane, StateChange]] = []

    def end(self, turn: Finish) -> None:
        """End one turn, unless its lane was lost."""
        lane = self.lanes.get(turn.lane)
        if lane is None or (lane.owner, lane.token, lane.running) != (self._me, turn.token, turn.pos):
            self.lost.add(turn.lane)
        elif not isinstance(turn, TurnDone):
            self._put_off(lane, turn)
        elif turn.state is not None and turn.state.expected != self._versions.get(lane.id, 0):
            self.lost.add(turn.lane)
        else:
            self._finish(lane, turn)

    def _put_off(self, lane: Lane, turn: TurnDeferred | TurnParked) -> None:
        """Set when a turn is tried again: at once when it was cancelled or what it waits for has come."""
        delay = NEVER if turn.delay_seconds is None else turn.delay_seconds
        if isinstance(turn, TurnDeferred):
            lane.failures += turn.failed
        elif _has_come(self._tx, turn):
            delay = 0.0
        lane.following, lane.running = lane.running, None
        lane.ready_at = self._tx.now + (0.0 if turn.pos in self._cancelled else delay)
        self._changed[lane.id] = lane

    def _finish(self, lane: Lane, turn: TurnDone) -> None:
        self._done.append(turn)
        if turn.state is not None:
            self._states.append((lane, turn.state))
            self._versions[lane.id] = turn.state.version
        for row in turn.outbox:
            self._rows.add(row, lane.id)
        if turn.answer is not None:
            give(self._tx, self._rows, turn.answer, self._addresses.get(turn.pos, ()))
        lane.end()
        lane.running, lane.ready_at = None, self._tx.now
        if not turn.hand_back and not lane.paused and lane.following is not None:
            lane.start()
            lane.following = None
            self._going.append(lane)
        self._changed[lane.id] = lane

    def write(self) -> Sequence[StoredRow]:
        """Write everything and return the new rows."""
        positions = [(turn.pos,) for turn in self._done]
        recorded = [(turn.identity,) for turn in self._done if turn.outcome != "dead"]
        asked = [(turn.lane,) for turn in self._done if turn.asked]
        self._tx.execute_many("DELETE FROM j_delivery WHERE pos = ?", positions)
        self._tx.execute_many("DELETE FROM j_step WHERE turn = ?", recorded)
        self._tx.execute_many("DELETE FROM j_wait WHERE caller = ?", asked)
        store_states(self._tx, self._states)
        store_lanes(self._tx, self._changed.values())
        return self._rows.store()

    def started(self) -> Sequence[Started]:
        """Show the next heads of the lanes that go on."""
        heads = find_heads(self._tx, [lane.running for lane in self._going if lane.running is not None])
        return [
            show_lane(self._tx, lane, heads[lane.running], self._versions)
            for lane in self._going
            if lane.running is not None
        ]


def _addresses(tx: Transaction, turns: Sequence[Finish]) -> Mapping[int, Sequence[ReplyAddress]]:
    answered = [turn.pos for turn in turns if isinstance(turn, TurnDone) and turn.answer is not None]
    found = tx.rows_of("SELECT pos, addresses FROM j_delivery WHERE pos IN ({})", answered)
    return {pos: unpack_addresses(addresses) for pos, addresses in found}


def _cancelled(tx: Transaction, turns: Sequence[Finish]) -> set[int]:
    put_off = [turn.pos for turn in turns if not isinstance(turn, TurnDone)]
    return {pos for (pos,) in tx.rows_of("SELECT pos FROM j_delivery WHERE pos IN ({}) AND cancelled", put_off)}


def _has_come(tx: Transaction, turn: TurnParked) -> bool:
    keys = tx.rows("SELECT key FROM j_step WHERE turn = ? AND result IS NOT NULL", turn.turn)
    return not set(turn.awaits).isdisjoint(key for (key,) in keys)


def refuse(tx: Transaction, me: int, refusals: Sequence[Refusal]) -> Sequence[StoredRow]:
    """Finish stored deliveries that nobody runs; their rows belong to this process, which need not hold the lanes."""
    tx.check_alive(me)
    rows = NewRows(tx, me)
    for refusal in refusals:
        stored = tx.row("SELECT pos FROM j_delivery WHERE identity = ? AND lane = ?", refusal.identity, refusal.lane)
        lane = find_lane(tx, refusal.lane)
        if stored is None or lane is None or lane.running == stored[0]:
            continue
        end_waiting(tx, rows, lane, stored[0], outcome=refusal.outcome, answer=refusal.answer)
        for row in refusal.outbox:
            rows.add(row)
    return rows.store()
