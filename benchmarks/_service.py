"""The service under load: one event in, one event out, and a line of JSON about how fast and at what cost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from agentopic import AgentService, DurableRuntime, payload
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event
from agentopic.envelope.kafka_topics import topic_events
from agentopic.ports.transport import TopicPartition
from benchmarks._shape import PARTITIONS


@payload("bench.Task.v1")
@dataclass(frozen=True)
class Task:
    """What comes in."""

    number: int
    text: str


@payload("bench.Report.v1")
@dataclass(frozen=True)
class Report:
    """What goes out."""

    number: int
    text: str


class Reporter(RoutedAgent):
    """Answers every task with one report and remembers when the first one came."""

    seen = 0
    began = used = 0.0

    def __init__(self) -> None:
        super().__init__("reports")

    @event
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        if not Reporter.seen:
            Reporter.began, Reporter.used = time.perf_counter(), time.process_time()
        Reporter.seen += 1
        await self.publish_message(Report(message.number, message.text), TopicId("report", self.id.key))


def reporter(*, start_from: str = "earliest") -> AgentService:
    """Return the service that turns tasks into reports."""
    return AgentService(
        "reporter",
        Reporter,
        subscriptions=[TypeSubscription("task", "reporter")],
        publishes={"report": Report},
        stateless=True,
        start_from=start_from,
    )


@dataclass(frozen=True)
class Pace:
    """What a number of turns took, from the first handler call to the last acknowledged output."""

    turns: int
    seconds: float
    cpu_seconds: float

    def as_json(self) -> dict[str, float]:
        return {
            "per_second": self.turns / self.seconds,
            "cpu_us": self.cpu_seconds / self.turns * 1e6,
        }


async def work_off(transport: str, journal: str, namespace: str, turns: int) -> Pace:
    """Run the service over a topic that is already full, until every report is in the log."""
    runtime = DurableRuntime(transport, journal, namespace=namespace, partitions=PARTITIONS)
    await reporter().register(runtime)
    async with runtime:
        await _until_reported(runtime, namespace, turns)
        now, used = time.perf_counter(), time.process_time()
    return Pace(turns, now - Reporter.began, used - Reporter.used)


async def _until_reported(runtime: DurableRuntime, namespace: str, turns: int) -> None:
    topic = topic_events(namespace, "report")
    while Reporter.seen < turns or await _written(runtime, topic) < turns:  # noqa: ASYNC110 - the log tells nobody
        await asyncio.sleep(0.05)


async def _written(runtime: DurableRuntime, topic: str) -> int:
    parts = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    ranges = await runtime.mesh.admin.offsets(parts)
    return sum(each.end - each.beginning for each in ranges.values())
