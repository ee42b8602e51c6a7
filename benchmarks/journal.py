"""Turns per second through the PostgreSQL journal, beside a bare loop of array inserts and deletes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import asyncpg

from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
from agentopic.ports.journal import (
    Incoming,
    IntakeBatch,
    MarkAdvance,
    OutboxRow,
    Started,
    StateChange,
    StoredRow,
    TurnDone,
)
from agentopic.ports.transport import TopicPartition
from agentopic.testing import PostgresServer, fresh_database

_BATCH = 200
_KEYS = 500
_BATCHES = 50
_ROUNDS = 5
_GROUP = "bench.worker"
_PLACE = TopicPartition("bench.topic.task", 0)
_BODY = b"x" * 512
_HEAD = b"h" * 300
_HEADERS = tuple((f"ce_{name}", name.encode() * 3) for name in ("id", "source", "type", "subject", "time", "run"))

_BARE_SCHEMA = """
CREATE TABLE bare_in (lane bytea, pos bigserial, identity bytea, head bytea, body bytea, PRIMARY KEY (lane, pos));
CREATE TABLE bare_seen (identity bytea PRIMARY KEY);
CREATE TABLE bare_out (id bigserial PRIMARY KEY, lane bytea, topic text, key bytea, value bytea, headers bytea);
"""
_BARE_IN = """
INSERT INTO bare_in (lane, identity, head, body)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[]) RETURNING lane, pos, head, body
"""
_BARE_SEEN = "INSERT INTO bare_seen SELECT * FROM unnest($1::bytea[]) ON CONFLICT DO NOTHING"
_BARE_DONE = "DELETE FROM bare_in d USING unnest($1::bytea[], $2::bigint[]) t(l, p) WHERE d.lane = t.l AND d.pos = t.p"
_BARE_OUT = """
INSERT INTO bare_out (lane, topic, key, value, headers)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[]) RETURNING id
"""
_BARE_SENT = "DELETE FROM bare_out WHERE id = ANY ($1)"

Load = Callable[[Sequence[Incoming]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Pace:
    """What a round of batches cost."""

    turns: int
    seconds: float
    client_seconds: float

    @property
    def figures(self) -> dict[str, float]:
        return {
            "turns_per_second": round(self.turns / self.seconds),
            "database_turns_per_second": round(self.turns / (self.seconds - self.client_seconds)),
            "client_cpu_us_per_turn": round(self.client_seconds / self.turns * 1e6, 1),
        }


def run() -> dict[str, object]:
    """Return the best of alternating rounds, and the journal's rate as a share of the bare loop's."""
    return asyncio.run(_run())


async def _run() -> dict[str, object]:
    async with PostgresServer() as server, fresh_database(server.dsn, "bench") as dsn:
        return await measure(dsn)


async def measure(dsn: str) -> dict[str, object]:
    """Measure on an empty database."""
    bare = await Bare.open(dsn)
    lanes, stateful = await Lanes.open(dsn), await Lanes.open(dsn, schema="agentopic_state", state=True)
    loads: dict[str, Load] = {"bare": bare.batch, "journal": lanes.batch, "journal with state": stateful.batch}
    paces: dict[str, list[Pace]] = {name: [] for name in loads}
    for number in range(_ROUNDS):
        for name, load in loads.items():
            paces[name].append(await _pace(load, f"{name} {number}"))
    for opened in (bare, lanes, stateful):
        await opened.aclose()
    best = {name: max(rounds, key=lambda pace: pace.turns / pace.seconds) for name, rounds in paces.items()}
    rate = {name: pace.turns / (pace.seconds - pace.client_seconds) for name, pace in best.items()}
    return {
        "batch": _BATCH,
        "keys": _KEYS,
        "rounds": _ROUNDS,
        **{name: pace.figures for name, pace in best.items()},
        "journal_share_of_bare": round(rate["journal"] / rate["bare"], 2),
    }


async def _pace(load: Load, name: str) -> Pace:
    batches = [deliveries(f"{name} {number}") for number in range(_BATCHES)]
    began, used = time.perf_counter(), time.process_time()
    turns = 0
    for batch in batches:
        turns += await load(batch)
    return Pace(turns, time.perf_counter() - began, time.process_time() - used)


def deliveries(name: str) -> Sequence[Incoming]:
    keys = [f"customer-{random.randrange(_KEYS)}" for _ in range(_BATCH)]
    return [
        Incoming(
            lane=_digest(key),
            group=_GROUP,
            key=key,
            identity=_digest(f"{name} {number}"),
            head=_HEAD,
            body=_BODY,
            partition=_PLACE,
        )
        for number, key in enumerate(keys)
    ]


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _row(body: bytes | None) -> OutboxRow:
    return OutboxRow(topic="bench.topic.report", key=b"customer", value=body, headers=_HEADERS)


class Lanes:
    """The journal: a batch is taken in, its turns are finished with one row each, rows are sent with the next."""

    def __init__(self, journal: PostgresJournal, me: int, *, state: bool) -> None:
        self._journal = journal
        self._me = me
        self._state = state
        self._known: int | None = None
        self._going: Sequence[Started] = ()
        self._rows: Sequence[StoredRow] = ()

    @classmethod
    async def open(cls, dsn: str, *, schema: str = "agentopic", state: bool = False) -> Lanes:
        journal = PostgresJournal(PostgresOptions(dsn=dsn, schema=schema))
        await journal.start()
        return cls(journal, await journal.join([_GROUP], "bench"), state=state)

    async def batch(self, deliveries: Sequence[Incoming]) -> int:
        following = (self._known or 0) + len(deliveries)
        mark = MarkAdvance(partition=_PLACE, known=self._known, next=following)
        taken = await self._journal.intake(
            self._me, IntakeBatch(group=_GROUP, marks=[mark], deliveries=deliveries, free=_BATCH)
        )
        self._known = following
        turns = [self._turn(lane) for lane in (*self._going, *taken.started)]
        committed = await self._journal.commit(self._me, turns, self._rows)
        if committed.lost or taken.stale:
            raise RuntimeError("the bench lost a lane")
        self._going, self._rows = committed.started, committed.rows
        return len(turns)

    async def aclose(self) -> None:
        await self._journal.aclose()

    def _turn(self, lane: Started) -> TurnDone:
        return TurnDone(
            lane=lane.lane,
            token=lane.token,
            pos=lane.pos or 0,
            identity=lane.identity,
            outbox=[_row(lane.body)],
            state=StateChange(expected=lane.version, snapshot=_BODY) if self._state else None,
        )


class Bare:
    """The same bytes without lanes, tokens and marks: what the database gives at most."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._sent: Sequence[int] = ()

    @classmethod
    async def open(cls, dsn: str) -> Bare:
        connection = await asyncpg.connect(dsn)
        await connection.execute(_BARE_SCHEMA)
        return cls(connection)

    async def batch(self, deliveries: Sequence[Incoming]) -> int:
        identities = [delivery.identity for delivery in deliveries]
        async with self._connection.transaction():
            await self._connection.execute(_BARE_SEEN, identities)
            stored = await self._connection.fetch(
                _BARE_IN,
                [delivery.lane for delivery in deliveries],
                identities,
                [delivery.head for delivery in deliveries],
                [delivery.body for delivery in deliveries],
            )
        lanes, positions, _, bodies = zip(*stored, strict=True)
        async with self._connection.transaction():
            await self._connection.execute(_BARE_DONE, lanes, positions)
            count = len(lanes)
            rows = await self._connection.fetch(
                _BARE_OUT, lanes, ["topic"] * count, [b"customer"] * count, bodies, [_HEAD] * count
            )
            await self._connection.execute(_BARE_SENT, self._sent)
        self._sent = [row["id"] for row in rows]
        return count

    async def aclose(self) -> None:
        await self._connection.close()
