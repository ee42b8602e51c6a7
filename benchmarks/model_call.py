"""What the engine adds to a model call: intent, freshness check and result around a model that answers at once."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import ClassVar

from agentopic import AgentService, DurableRuntime
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event
from agentopic.core.models import UserMessage
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.testing import KafkaServer, PostgresServer, fresh_database
from benchmarks._rounds import percentiles
from benchmarks._scale import scaled
from benchmarks._service import Task

_PER_SECOND = 100


class Asker(RoutedAgent):
    """Asks a model once per task and remembers how long that took."""

    took: ClassVar[list[float]] = []

    def __init__(self, model: ReplayChatCompletionClient) -> None:
        super().__init__("asks")
        self._model = model

    @event
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        question = UserMessage(content=message.text, source="bench")
        began = time.perf_counter()
        await self._model.create([question])
        Asker.took.append(time.perf_counter() - began)


def run() -> dict[str, object]:
    """Return percentiles in ms per road, at a hundred turns a second in one process."""
    with KafkaServer() as kafka, PostgresServer() as postgres:
        far = asyncio.run(_far(f"kafka://{kafka.bootstrap}", postgres.dsn))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'mesh.db'}"
        near = asyncio.run(_asked(url, url))
    return {
        "around a model call, kafka and postgresql": {**far, "wanted_p50_ms": 5},
        "around a model call, sqlite": {**near, "wanted_p50_ms": 5},
    }


async def _far(transport: str, server: str) -> dict[str, object]:
    async with fresh_database(server, "model_call") as dsn:
        return await _asked(transport, dsn)


async def _asked(transport: str, journal: str) -> dict[str, object]:
    Asker.took = []
    count = scaled(800)
    model = ReplayChatCompletionClient(["yes"] * count)
    service = AgentService(
        "asker", lambda: Asker(model), subscriptions=[TypeSubscription("task", "asker")], stateless=True
    )
    runtime = DurableRuntime(transport, journal, namespace="calls")
    await service.register(runtime)
    async with runtime:
        for number in range(count):
            await runtime.publish_message(Task(number, "well?"), TopicId("task", f"key-{number % 50}"))
            await asyncio.sleep(1 / _PER_SECOND)
        await runtime.stop_when_idle()
    return percentiles(Asker.took[count // 10 :])


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
