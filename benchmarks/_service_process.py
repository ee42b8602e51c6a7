"""A service that runs until it is ended; it says `ready` when its partitions are leased.

`python -m benchmarks._service_process <kind> <transport> <journal> <namespace> <lease seconds>`
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agentopic import AgentService, DurableRuntime, payload, serve, step
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event, rpc
from benchmarks._service import Task
from benchmarks._shape import PARTITIONS


@payload("bench.Handled.v1")
@dataclass(frozen=True)
class Handled:
    """Who handled a task, and when by the clock that all processes of one machine share."""

    number: int
    at: float
    pid: int


@payload("bench.Question.v1")
@dataclass(frozen=True)
class Question:
    """A request."""

    text: str


class Worker(RoutedAgent):
    """Reports each task; one whose text begins with `slow` after a recorded call of two seconds."""

    def __init__(self) -> None:
        super().__init__("works")

    @event
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        if message.text.startswith("slow"):
            await step("call", lambda: asyncio.sleep(2.0), given=message.number, repeatable=True)
        await self._report(message)

    @rpc
    async def on_question(self, message: Question, ctx: MessageContext) -> Question:
        return message

    async def _report(self, message: Task) -> None:
        handled = Handled(message.number, time.perf_counter(), os.getpid())
        await self.publish_message(handled, TopicId("report", self.id.key))


class Keeper(Worker):
    """Remembers the last tasks of its key and stores that with each of its turns."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []

    @event
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        self._texts = [*self._texts[-19:], message.text[:100]]
        await self._report(message)

    async def save_state(self) -> Mapping[str, Any]:
        return {"texts": self._texts}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self._texts = list(state["texts"])


class Thinker(Worker):
    """Has a model client, as most services do; it is never called here."""

    def __init__(self) -> None:
        super().__init__()
        from agentopic.ext.models.openai import OpenAIChatCompletionClient

        self._model = OpenAIChatCompletionClient(model="gpt-4o", api_key="none")


def _service(agent: Callable[[], RoutedAgent], *, stateless: bool) -> AgentService:
    return AgentService(
        "worker",
        agent,
        subscriptions=[TypeSubscription("task", "worker")],
        publishes={"report": Handled},
        payloads=[Task, Question],
        stateless=stateless,
        start_from="earliest",
    )


KINDS: Mapping[str, Callable[[], AgentService]] = {
    "worker": lambda: _service(Worker, stateless=True),
    "keeper": lambda: _service(Keeper, stateless=False),
    "thinker": lambda: _service(Thinker, stateless=True),
}


async def main(kind: str, transport: str, journal: str, namespace: str, lease: float) -> None:
    """Serve until SIGTERM."""
    runtime = DurableRuntime(transport, journal, namespace=namespace, partitions=PARTITIONS, lease_seconds=lease)
    if kind == "thinker":
        Thinker()  # what a service loads for its model is there before the first turn
    await serve(runtime, [KINDS[kind]()], ready=lambda: print("ready", flush=True))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], float(sys.argv[5])))
