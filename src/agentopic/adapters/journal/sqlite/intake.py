"""Intake of the SQLite journal (journal.md section 3, `intake`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agentopic.adapters.journal.replies import reply_row
from agentopic.adapters.journal.sqlite.cycles import closes_cycle
from agentopic.adapters.journal.sqlite.ends import find_answer, pack_addresses, unpack_addresses
from agentopic.adapters.journal.sqlite.lanes import (
    Head,
    Lane,
    find_heads,
    find_lanes,
    find_versions,
    new_lane,
    show_lane,
    store_lanes,
)
from agentopic.adapters.journal.sqlite.marks import advance
from agentopic.adapters.journal.sqlite.outbox import NewRows, lane_rows
from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import Incoming, IntakeBatch, Intaken, ReplyAddress, Started

_INSERT = """
    INSERT INTO j_delivery (pos, lane, identity, head, body, request_id, addresses, deadline_ms, caller)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def intake(tx: Transaction, me: int, batch: IntakeBatch) -> Intaken:
    """Store a batch and start free lanes into free slots."""
    tx.check_alive(me)
    stale = advance(tx, me, batch.group, batch.marks)
    rows = NewRows(tx, me)
    for place, row in batch.dead:
        if place not in stale:
            rows.add(row)
    current = [delivery for delivery in batch.deliveries if delivery.partition not in stale]
    store = _Storing(tx, rows, _seen(tx, current))
    for delivery in current:
        store.add(delivery)
    started = store.start(me, batch.free)
    return Intaken(
        stale=stale,
        started=started,
        rows=rows.store(),
        repeats=len(current) - len(store.fresh),
        cycles=_cycles(tx, current),
    )


def _seen(tx: Transaction, deliveries: Sequence[Incoming]) -> set[bytes]:
    found = tx.rows_of(
        "SELECT identity FROM j_seen WHERE identity IN ({})", [delivery.identity for delivery in deliveries]
    )
    return {identity for (identity,) in found}


@dataclass(slots=True)
class _Fresh:
    """A delivery to store."""

    pos: int
    delivery: Incoming
    addresses: list[ReplyAddress]


@dataclass(slots=True)
class _Storing:
    """Gathers what a batch stores: everything is written once, with the lanes already started."""

    tx: Transaction
    rows: NewRows
    seen: set[bytes]
    fresh: dict[bytes, _Fresh] = field(default_factory=dict[bytes, _Fresh])
    """By identity."""

    def add(self, delivery: Incoming) -> None:
        """Note a delivery, or answer a repeated request."""
        address = delivery.reply_to
        again = self.fresh.get(delivery.identity)
        if again is not None:
            if address is not None and delivery.request_id is not None and address not in again.addresses:
                again.addresses.append(address)
        elif delivery.identity in self.seen:
            if address is not None and delivery.request_id is not None:
                self._repeat(delivery.identity, delivery.request_id, address)
        else:
            pos = self.tx.next_number("pos")
            self.fresh[delivery.identity] = _Fresh(pos, delivery, [] if address is None else [address])

    def _repeat(self, identity: bytes, request_id: str, address: ReplyAddress) -> None:
        """Answer a finished request again, or note one more address of an unfinished one."""
        unfinished = self.tx.row("SELECT pos, addresses FROM j_delivery WHERE identity = ?", identity)
        if unfinished is None:
            answer = find_answer(self.tx, request_id)
            if answer is not None:
                self.rows.add(reply_row(answer, address))
            return
        pos, text = unfinished
        addresses = unpack_addresses(text)
        if address not in addresses:
            packed = pack_addresses([*addresses, address])
            self.tx.execute("UPDATE j_delivery SET addresses = ? WHERE pos = ?", packed, pos)

    def start(self, me: int, free: int) -> Sequence[Started]:
        """Write everything; start lanes in order of arrival. One of ours that waits for its time is not hurried."""
        lanes = find_lanes(self.tx, [entry.delivery.lane for entry in self.fresh.values()])
        changed, idle = self._queue(lanes)
        taken: list[Lane] = []
        for lane_id, was_idle in idle.items():
            if len(taken) >= free:
                break
            lane = lanes[lane_id]
            if lane.paused:
                continue
            if lane.owner is None and lane.ready_at <= self.tx.now:
                lane.take(me, self.tx.next_number("token"))
            elif lane.owner == me and was_idle:
                lane.start()
            else:
                continue
            taken.append(lane)
            changed[lane_id] = lane
        self._write(changed)
        return self._show(taken)

    def _queue(self, lanes: dict[bytes, Lane]) -> tuple[dict[bytes, Lane], dict[bytes, bool]]:
        """Put the deliveries behind what is there; return the lanes that changed, and which were idle."""
        changed: dict[bytes, Lane] = {}
        idle: dict[bytes, bool] = {}
        for entry in self.fresh.values():
            delivery = entry.delivery
            lane = lanes.get(delivery.lane)
            if lane is None:
                lane = lanes[delivery.lane] = new_lane(self.tx, delivery.lane, delivery.group, delivery.key)
            if lane.id not in idle:
                idle[lane.id] = lane.is_empty
                if lane.is_empty:
                    lane.ready_at = self.tx.now
                    changed[lane.id] = lane
            if lane.following is None:
                lane.following = entry.pos
        return changed, idle

    def _write(self, changed: Mapping[bytes, Lane]) -> None:
        now = self.tx.now
        self.tx.execute_many("INSERT INTO j_seen VALUES (?, ?)", [(identity, now) for identity in self.fresh])
        self.tx.execute_many(_INSERT, [_columns(entry) for entry in self.fresh.values()])
        store_lanes(self.tx, changed.values())

    def _show(self, taken: Sequence[Lane]) -> Sequence[Started]:
        """Show the lanes started: most heads are among what has just come."""
        running = {lane.running for lane in taken if lane.running is not None}
        arrived = {entry.pos: _head(entry) for entry in self.fresh.values() if entry.pos in running}
        heads = arrived | find_heads(self.tx, [pos for pos in running if pos not in arrived])
        versions = find_versions(self.tx, [lane.id for lane in taken])
        started: list[Started] = []
        for lane in taken:
            unsent = lane_rows(self.tx, lane.id) if lane.has_unsent and lane.token_is_new else ()
            head = None if lane.running is None else heads[lane.running]
            started.append(show_lane(self.tx, lane, head, versions, unsent))
        return started


def _head(entry: _Fresh) -> Head:
    delivery = entry.delivery
    return Head(entry.pos, delivery.identity, delivery.head, delivery.body, delivery.deadline_ms, 0)


def _columns(entry: _Fresh) -> tuple[object, ...]:
    delivery = entry.delivery
    return (
        entry.pos,
        delivery.lane,
        delivery.identity,
        delivery.head,
        delivery.body,
        delivery.request_id,
        pack_addresses(entry.addresses),
        delivery.deadline_ms,
        delivery.caller,
    )


def _cycles(tx: Transaction, deliveries: Sequence[Incoming]) -> frozenset[bytes]:
    """Judge the requests of agents, fresh ones and unfinished repeats, once all are stored and lanes are started."""
    named: set[bytes] = set()
    for delivery in deliveries:
        caller, identity = delivery.caller, delivery.identity
        if caller is not None and identity not in named and closes_cycle(tx, identity, delivery.lane, caller):
            named.add(identity)
    return frozenset(named)
