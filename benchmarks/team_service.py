"""Group-chat turns of a deployed team on Kafka and PostgreSQL: what a turn takes when its model takes nothing."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import pairwise

from agentopic import DurableRuntime
from agentopic.agentchat.messages import TextMessage
from agentopic.team_service import RemoteTeam
from agentopic.testing import KafkaServer, PostgresServer, fresh_database
from benchmarks._child import service
from benchmarks._rounds import percentiles
from benchmarks._scale import scaled
from benchmarks._shape import PARTITIONS
from benchmarks._team_service import TURNS

_NAMESPACE = "teams"
_WARM = 3


def run() -> dict[str, object]:
    """Return percentiles in ms of the time between two messages of participants, one conversation at a time."""
    with KafkaServer() as kafka, PostgresServer() as postgres:
        return asyncio.run(_run(f"kafka://{kafka.bootstrap}", postgres.dsn))


async def _run(transport: str, server: str) -> dict[str, object]:
    async with fresh_database(server, _NAMESPACE) as journal:
        with service(transport, journal, _NAMESPACE, module="_team_service"):
            async with DurableRuntime(transport, journal, namespace=_NAMESPACE, partitions=PARTITIONS) as runtime:
                for number in range(_WARM):
                    await _committed(runtime, f"warm-{number}")
                gaps = [gap for number in range(scaled(20)) for gap in await _committed(runtime, f"c{number}")]
    return {f"group-chat turn, {TURNS} per conversation": {**percentiles(gaps), "wanted_p50_ms": 40}}


async def _committed(runtime: DurableRuntime, conversation: str) -> list[float]:
    """The seconds between the messages of one conversation, by the times at which they were made."""
    team = RemoteTeam("pair", runtime, conversation=conversation)
    result = await team.run(task="go")
    made = [message.created_at.timestamp() for message in result.messages if isinstance(message, TextMessage)]
    return [later - earlier for earlier, later in pairwise(made[1:])]


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
