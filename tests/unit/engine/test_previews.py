"""Previews: streams of running turns are shown at once, best effort, and cause no second call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from agentopic.adapters.transport.memory import MemoryTransport
from agentopic.core import MessageContext
from agentopic.core.models import CreateResult
from agentopic.engine import previews
from agentopic.engine.options import RetryPolicy
from agentopic.engine.runtime import EngineRuntime
from agentopic.envelope import Envelope
from agentopic.errors import ModelUnavailableError, TransportError
from agentopic.ports.transport import OutgoingRecord

from .paid_model import QUESTION, PaidModel
from .town import NS, Note, Resident, Town, topic, until

STREAM = f"{NS}.stream"


def streaming(model: PaidModel, seen: list[str], *, fail_first: int = 0) -> Any:
    """Return a handler that streams an answer, and fails after it in its first attempts."""
    attempts = list[int]()

    async def handle(_agent: Resident, message: Note, _ctx: MessageContext) -> None:
        attempts.append(1)
        stream: AsyncGenerator[str | CreateResult, None] = model.create_stream(QUESTION)
        seen.extend([str(item.content) async for item in stream if isinstance(item, CreateResult)])
        if len(attempts) <= fail_first:
            raise ValueError("not yet")

    return handle


async def shown(town: Town, handler: Any, *, expect: int, **options: Any) -> Sequence[Envelope]:
    """Run one turn with this handler and return what it has shown, once there are so many previews."""
    runtime = town.runtime(**options)
    await town.settle(runtime, "clerk", handler)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"), message_id="run-1")
    await until(lambda: len(town.records("stream")) >= expect, f"{expect} previews")
    await runtime.stop_when_idle()
    return sorted(town.events("stream"), key=lambda each: int(each.id.rpartition(".")[2]))


def data(event: Envelope) -> dict[str, Any]:
    return json.loads(event.data or b"")


def text(events: Sequence[Envelope]) -> str:
    return "".join(data(each).get("text", "") for each in events)


async def test_a_streamed_answer_is_shown_under_its_run(town: Town):
    seen = list[str]()

    events = await shown(town, streaming(PaidModel("one two three"), seen), expect=1)

    assert text(events) == "one two three "
    assert seen == ["one two three"]
    first = events[0]
    assert (first.type, first.correlationid, first.extensions["agmsgkind"]) == (
        "agentopic.Preview.v1", "run-1", "stream",
    )  # fmt: skip
    assert data(first)["name"] == "gpt-4o-mini"


async def test_pieces_of_one_stream_travel_together(town: Town):
    words = " ".join("word" for _ in range(200))

    events = await shown(town, streaming(PaidModel(words), []), expect=1)

    assert text(events).split() == words.split()
    assert len(events) < 20


async def test_a_repeated_attempt_gets_the_recorded_answer_and_calls_nobody(town: Town):
    model, seen = PaidModel("one two"), list[str]()

    await shown(town, streaming(model, seen, fail_first=2), expect=1)

    assert model.calls == 1
    assert seen == ["one two"] * 3


async def test_a_new_attempt_begins_with_a_reset(town: Town):
    model = PaidModel("first", "second")
    attempts = list[int]()

    async def handle(_agent: Resident, message: Note, _ctx: MessageContext) -> None:
        attempts.append(1)
        async for _ in model.create_stream([*QUESTION, *QUESTION[: len(attempts)]] if len(attempts) > 1 else QUESTION):
            pass
        if len(attempts) == 1:
            raise ValueError("not yet")

    events = await shown(town, handle, expect=3)

    second = [each for each in events if each.extensions["agattempt"] == 2]
    assert [data(each).get("reset") for each in second] == ["turn", None]
    assert len({each.id for each in events}) == len(events)


async def test_a_call_that_is_made_again_inside_its_step_voids_what_it_showed(town: Town):
    model = PaidModel(ModelUnavailableError("broken off"), "whole answer")

    events = await shown(
        town, streaming(model, []), expect=3, model_retry=RetryPolicy(max_failures=3, initial_seconds=0.0)
    )

    marks = [data(each).get("reset") or data(each)["text"] for each in events]
    assert marks == ["half of ", "stream", "whole answer "]


async def test_parallel_streams_are_told_apart(town: Town):
    models = [PaidModel("left left"), PaidModel("right right", name="other")]

    async def drain(model: PaidModel) -> None:
        async for _ in model.create_stream(QUESTION):
            await asyncio.sleep(0)

    async def handle(_agent: Resident, message: Note, _ctx: MessageContext) -> None:
        await asyncio.gather(*map(drain, models))

    events = await shown(town, handle, expect=2)

    texts = {number: text([each for each in events if data(each)["stream"] == number]) for number in (0, 1)}
    assert sorted(texts.values()) == ["left left ", "right right "]


async def test_the_topic_is_there_only_when_something_streams(town: Town):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", asking_plainly)

    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert STREAM not in town.log.topics()


async def asking_plainly(_agent: Resident, message: Note, _ctx: MessageContext) -> None:
    await PaidModel().create(QUESTION)


async def test_always_creates_the_topic_at_start_with_an_hours_retention(town: Town):
    runtime = town.runtime(previews="always")
    await town.settle(runtime, "clerk", asking_plainly)

    (spec,) = [each for each in runtime.topics_plan() if each.name == STREAM]
    await runtime.start()

    assert spec.config == {"retention.ms": "3600000"}
    assert STREAM in town.log.topics()


async def test_never_shows_nothing(town: Town):
    seen = list[str]()
    runtime = town.runtime(previews="never")
    await town.settle(runtime, "clerk", streaming(PaidModel("one two"), seen))
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert seen == ["one two"]
    assert STREAM not in town.log.topics()


class DeafTransport(MemoryTransport):
    """Takes everything but previews, for which it never answers."""

    async def send(self, records: Sequence[OutgoingRecord]) -> Any:
        if any(each.topic == STREAM for each in records):
            await asyncio.Event().wait()
        return await super().send(records)


class RefusingTransport(MemoryTransport):
    """Takes everything but previews."""

    async def send(self, records: Sequence[OutgoingRecord]) -> Any:
        if any(each.topic == STREAM for each in records):
            raise TransportError("no room")
        return await super().send(records)


@pytest.mark.parametrize("transport", [DeafTransport, RefusingTransport])
async def test_a_broker_that_takes_no_previews_holds_up_no_turn(
    town: Town, transport: type[MemoryTransport], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(previews, "LIMIT", 5)
    monkeypatch.setattr(previews, "MERGE_CHARACTERS", 0)
    seen = list[str]()
    runtime = town.runtime(transport=transport(town.log))
    words = " ".join("word" for _ in range(50))
    await town.settle(runtime, "clerk", streaming(PaidModel(words, words), seen))
    await runtime.start()

    for number in range(2):
        await runtime.publish_message(Note(), topic("clerk", f"k{number}"))
    await runtime.stop_when_idle()

    assert len(seen) == 2
    assert dropped(runtime) > 0


def dropped(runtime: EngineRuntime) -> int:
    return runtime._metering.previews.dropped


async def test_a_topic_that_may_not_be_created_drops_previews_alone(town: Town):
    seen = list[str]()
    first = town.runtime()
    await town.settle(first, "clerk", asking_plainly)
    await first.start()
    await first.stop()
    runtime = town.runtime(topics="verify")
    await town.settle(runtime, "clerk", streaming(PaidModel("one two"), seen))
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: dropped(runtime) > 0, "a preview dropped")
    await runtime.stop_when_idle()

    assert seen == ["one two"]


class TalkativeModel(PaidModel):
    """Streams a piece that contains itself before it answers."""

    async def create_stream(self, messages: Any, **_: Any) -> AsyncGenerator[Any, None]:
        endless: list[Any] = ["piece"]
        endless.append(endless)
        yield endless
        async for item in super().create_stream(messages):
            yield item


async def test_an_item_without_end_is_shown_as_its_text_and_the_call_goes_on(town: Town):
    model, seen = TalkativeModel("yes"), list[str]()

    events = await shown(town, streaming(model, seen), expect=2)

    assert [data(each).get("item") or data(each)["text"] for each in events] == ["['piece', [...]]", "yes "]
    assert (model.calls, seen) == (1, ["yes"])


class PolishedModel(PaidModel):
    """Streams what the class it builds on streams."""

    async def create_stream(self, messages: Any, **_: Any) -> AsyncGenerator[Any, None]:
        async for item in super().create_stream(messages):
            yield item


async def test_a_stream_that_feeds_another_one_is_not_shown_twice(town: Town):
    events = await shown(town, streaming(PolishedModel("one two"), []), expect=1)

    assert text(events) == "one two "
