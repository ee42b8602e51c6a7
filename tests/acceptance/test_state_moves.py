"""Everything unfinished moves from one mesh to another: nothing lost, nothing twice, no recorded call made again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic import (
    AgentService,
    DurableRuntime,
    MessageContext,
    RoutedAgent,
    Settings,
    TopicId,
    TypeSubscription,
    message_handler,
    payload,
    step,
    wiring,
)
from agentopic.engine.carry_over import export_state, import_state
from agentopic.engine.taking_in import take_in
from agentopic.envelope.kafka import decode_record
from agentopic.envelope.kafka_topics import consumer_group

from .durable_bed import DurableBed, durable_bed, durable_urls

UNREAD, QUESTIONS = 500, 20


@payload("moving.Task.v1")
class Task(BaseModel):
    kind: str
    number: int


@payload("moving.Result.v1")
class Result(BaseModel):
    kind: str
    number: int
    answer: str = ""
    done_before: int


class Office:
    """What happens outside of the mesh: the calls made, and a call that does not come back in time."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, int]] = Counter()
        self.held_up = asyncio.Event()
        self.is_slow = True


class Worker(RoutedAgent):
    """Calls outside once per task, asks a person or is held up, and publishes a result; counts what it has done."""

    def __init__(self, office: Office) -> None:
        super().__init__("works on tasks")
        self.office = office
        self.done = 0

    @message_handler
    async def on_task(self, message: Task, ctx: MessageContext) -> None:
        async def call() -> str:
            self.office.calls[message.kind, message.number] += 1
            return "called"

        await step("call", call, given=[message.kind, message.number])
        answer = await ctx.ask(f"Question {message.number}") if message.kind == "ask" else ""
        if message.kind == "half" and self.office.is_slow:
            self.office.held_up.set()
            await asyncio.Event().wait()
        result = Result(kind=message.kind, number=message.number, answer=answer, done_before=self.done)
        self.done += 1
        await self.publish_message(result, TopicId("result", self.id.key))

    async def save_state(self) -> dict[str, int]:
        return {"done": self.done}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.done = state["done"]


def service(office: Office) -> AgentService:
    return AgentService(
        "worker",
        lambda: Worker(office),
        subscriptions=[TypeSubscription("task", "worker")],
        publishes={"result": Result},
        payloads=[Task],
    )


async def started(bed: DurableBed, office: Office) -> DurableRuntime:
    runtime = bed.runtime(drain_seconds=0.2)
    await service(office).register(runtime)
    await runtime.start()
    return runtime


async def asked(runtime: DurableRuntime, count: int) -> list[Any]:
    """Return the open questions once there are as many."""
    async with asyncio.timeout(30):
        while len(found := await runtime.control.questions(["worker"])) < count:  # noqa: ASYNC110 - polls the journal
            await asyncio.sleep(0.05)
    return list(found)


async def leave_unfinished(bed: DurableBed, office: Office) -> None:
    """Leave behind one agent with state, parked questions, a half-done turn and unread tasks."""
    runtime = await started(bed, office)
    await runtime.publish_message(Task(kind="plain", number=-1), TopicId("task", "a0"))
    for number in range(QUESTIONS):
        await runtime.publish_message(Task(kind="ask", number=number), TopicId("task", f"q{number}"))
    await runtime.publish_message(Task(kind="half", number=0), TopicId("task", "half"))
    await asked(runtime, QUESTIONS)
    await office.held_up.wait()
    await bed.records("topic.result", 1)
    await runtime.stop()

    outsider = bed.runtime()
    await outsider.start()
    for number in range(UNREAD):
        await outsider.publish_message(Task(kind="plain", number=number), TopicId("task", f"a{number % 50}"))


async def move(here: tuple[str, str], there: tuple[str, str], ns: str, office: Office) -> None:
    """Carry all over, as `agentopic state` does; the file is imported twice, as after a broken connection."""
    source, target = (
        Settings(transport=transport, journal=journal, namespace=ns, lease_seconds=3.0, partitions=2)
        for transport, journal in (here, there)
    )
    await take_in(wiring.mesh(source), wiring.engine_options(source), [service(office)])
    file = BytesIO()
    await carried(source, lambda mesh, options: export_state(mesh, options, [consumer_group(ns, "worker")], file))
    for _ in range(2):
        await carried(target, lambda mesh, options: import_state(mesh, options, file))


async def carried(settings: Settings, call: Any) -> None:
    mesh = wiring.mesh(settings)
    assert mesh.journal is not None
    try:
        await mesh.journal.start()
        await call(mesh, wiring.engine_options(settings))
    finally:
        await mesh.aclose()


@pytest.fixture(params=[("memory", "memory"), ("sqlite", "sqlite"), ("sqlite", "kafka")], ids=" to ".join)
def move_between(request: pytest.FixtureRequest, ns: str, tmp_path: Path) -> tuple[tuple[str, str], tuple[str, str]]:
    """Transport and journal of the mesh that is left, and of the one that takes over."""
    origin, destination = request.param
    return (
        durable_urls(origin, ns, tmp_path / "here", request.getfixturevalue),
        durable_urls(destination, f"{ns}-there", tmp_path / "there", request.getfixturevalue),
    )


@pytest.mark.timeout(180)
async def test_unread_tasks_parked_questions_and_a_half_done_turn_move(
    move_between: tuple[tuple[str, str], tuple[str, str]], ns: str
):
    office = Office()
    here, there = move_between
    async with durable_bed(here, ns) as left, durable_bed(there, ns) as bed:
        await leave_unfinished(left, office)
        await move(here, there, ns, office)

        office.is_slow = False
        runtime = await started(bed, office)
        for question in await asked(runtime, QUESTIONS):
            await runtime.control.answer(question.id, question.agent, f"yes, {question.agent.key}")
        records = await bed.records("topic.result", UNREAD + QUESTIONS + 1)
        await runtime.stop_when_idle()

    results = [Result.model_validate_json(decode_record(each.headers, each.value).data or b"") for each in records]
    expected = {("plain", number) for number in range(UNREAD)} | {("ask", number) for number in range(QUESTIONS)}
    assert Counter((each.kind, each.number) for each in results) == Counter({*expected, ("half", 0)})
    assert set(office.calls.values()) == {1}
    assert {each.answer for each in results if each.kind == "ask"} == {f"yes, q{number}" for number in range(QUESTIONS)}
    # The agent that had finished one task before the move went on from the state it had.
    (first,) = [each for each in results if (each.kind, each.number) == ("plain", 0)]
    assert first.done_before == 1
