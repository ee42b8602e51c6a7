"""Durable turns per second on Kafka and PostgreSQL, one process, one event published for each that comes.

Beside a bare loop with the same I/O and no promise, FastStream, and AutoGen's gRPC runtime, in alternating rounds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Mapping

from agentopic.testing import KafkaServer, PostgresServer, fresh_database
from benchmarks._child import ORACLE, ours, theirs
from benchmarks._peers import autogen_grpc
from benchmarks._preload import fill
from benchmarks._rounds import Round, alternate, ratio
from benchmarks._scale import scaled

_ROUNDS = 3
_SINGLY_SHARE = 20
"""An acknowledgement of its own costs FastStream a round trip to the group's coordinator per message."""


class Contest:
    """The contenders on one pair of servers; each round reads a topic of its own, filled before it starts."""

    def __init__(self, bootstrap: str, dsn: str, turns: int) -> None:
        self._bootstrap, self._dsn, self._turns = bootstrap, dsn, turns
        self._numbers = itertools.count()

    def contenders(self) -> Mapping[str, Round]:
        found: dict[str, Round] = {"agentopic": self.engine, "bare loop": self.bare}
        if ORACLE.exists():
            found["faststream, automatic"] = lambda: self.faststream("ACK_FIRST", self._turns // 4)
            found["faststream, each acknowledged"] = lambda: self.faststream("ACK", self._turns // _SINGLY_SHARE)
        return {**found, **autogen_grpc()}

    def engine(self) -> Mapping[str, float]:
        return asyncio.run(self._on_fresh_database("engine", self._engine))

    async def _engine(self, namespace: str, dsn: str) -> Mapping[str, float]:
        transport = f"kafka://{self._bootstrap}"
        return await asyncio.to_thread(ours, "_engine_load", transport, dsn, namespace, self._turns)

    def bare(self) -> Mapping[str, float]:
        return asyncio.run(self._on_fresh_database("bare", self._bare))

    async def _bare(self, namespace: str, dsn: str) -> Mapping[str, float]:
        topics = f"{namespace}.topic.task", f"{namespace}.topic.report"
        return await asyncio.to_thread(ours, "_bare_load", self._bootstrap, dsn, *topics, self._turns)

    def faststream(self, policy: str, messages: int) -> Mapping[str, float]:
        namespace = self._namespace("faststream")
        topic = asyncio.run(fill(f"kafka://{self._bootstrap}", namespace, messages))
        out = f"{namespace}.topic.report"
        return theirs("_faststream_load", self._bootstrap, topic, out, namespace, policy, messages)

    async def _on_fresh_database(self, name: str, run) -> Mapping[str, float]:
        namespace = self._namespace(name)
        await fill(f"kafka://{self._bootstrap}", namespace, self._turns)
        async with fresh_database(self._dsn, namespace) as dsn:
            return await run(namespace, dsn)

    def _namespace(self, name: str) -> str:
        return f"{name}-{next(self._numbers)}"


def run() -> dict[str, object]:
    """Return medians per contender, and the ratios of their rates to the engine's."""
    turns = scaled(10_000, least=2_000)
    with KafkaServer() as kafka, PostgresServer() as postgres:
        figures = alternate(Contest(kafka.bootstrap, postgres.dsn, turns).contenders(), _ROUNDS)
    return {
        "turns": turns,
        "rounds": _ROUNDS,
        **figures,
        "ratio": {name: ratio(figures, "agentopic", name) for name in figures if name != "agentopic"},
        "wanted": {
            "bare loop": 0.5,
            "faststream, each acknowledged": 1.5,
            "autogen grpc": 2.0,
        },
    }


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
