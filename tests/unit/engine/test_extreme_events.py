"""Events and answers at the edge of what is valid: each is handled or given up, and stops nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentopic.adapters.transport.memory import MemoryTransport
from agentopic.core import AgentId, CancellationToken, MessageContext
from agentopic.core.models import CreateResult, UserMessage
from agentopic.core.tools import FunctionTool
from agentopic.envelope import Envelope
from agentopic.envelope.attributes import INTEGER_MAX
from agentopic.envelope.kafka import encode
from agentopic.ports.transport import OutgoingRecord

from .paid_model import PaidModel
from .town import Note, Resident, Town, topic, until

LONG = {"agtargetkey": "会" * 341}
HOPS = {"aghops": INTEGER_MAX}
ODD: dict[str, dict[str, Any]] = {
    "a key that is long once encoded": LONG,
    "a key of characters to be encoded": {"agtargetkey": "a/b c?" * 100},
    "the most hops": HOPS,
    "the highest redrive number": {"agredrive": INTEGER_MAX},
    "the longest run id": {"correlationid": "é" * 512},
    "the longest request id": {"agrequestid": "é" * 512},
    "the last deadline": {"expirytime": "9999-12-31T23:59:59-14:00"},
    "the first deadline": {"expirytime": "0001-01-01T00:00:00Z"},
    "a reply address that is nowhere": {"agreplyto": "nowhere/0"},
    "a reply partition that is none": {"agreplyto": f"town.replies/{10**20}"},
}


async def post(town: Town, kafka_topic: str, **extensions: Any) -> None:
    asked = {"agmsgkind": "request", "agrequestid": "r1", "agtargettype": "clerk", "agtargetkey": "k"}
    event = Envelope(
        id="odd",
        source="/outside",
        type="town.Note.v1",
        datacontenttype="application/json",
        data=b"{}",
        extensions={**asked, "agreplyto": "town.replies/0", **extensions},
    )
    message = encode(event, key=b"k")
    record = OutgoingRecord(topic=kafka_topic, key=b"k", value=message.value, headers=message.headers)
    await MemoryTransport(town.log).send([record])


@pytest.mark.parametrize("fails", [False, True], ids=["answered", "failed"])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_a_request_at_the_edge_ends_and_those_behind_it_are_handled(
    town: Town, odd: dict[str, Any], fails: bool
) -> None:
    seen = list[str]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        seen.append(message.text)
        await agent.publish_message(message, topic("out"))
        if fails and not message.text:
            raise ValueError("no")
        return message

    town.create("topic.out")
    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()

    await post(town, "town.agent.clerk", **odd)
    await runtime.publish_message(Note(text="behind"), topic("clerk"))
    await until(lambda: "behind" in seen, "what came behind it is handled")
    await runtime.stop_when_idle()

    assert not town.store.lanes


async def test_an_agent_with_a_long_key_is_asked_and_asks(town: Town) -> None:
    key = LONG["agtargetkey"]

    async def relay(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        if message.number == 0:
            return Note(text=f"heard from {ctx.sender}")
        return await agent.send_message(Note(number=message.number - 1), AgentId("other", key))

    runtime = town.runtime()
    for name in ("clerk", "other"):
        await town.settle(runtime, name, relay)
    await runtime.start()

    answer = await runtime.send_message(Note(number=1), AgentId("clerk", key))
    await runtime.stop_when_idle()

    assert answer == Note(text=f"heard from clerk/{key}")


async def test_the_hops_of_what_an_event_causes_stay_a_valid_number(town: Town) -> None:
    class Mourner(Resident):
        async def on_fault(self, error: BaseException) -> None:
            await self.publish_message(Note(text="given up"), topic("out"))

    async def nothing(agent: Resident, message: Note, ctx: MessageContext) -> None:
        pass

    town.create("topic.out")
    runtime = town.runtime()
    await Mourner.register(runtime, "clerk", lambda: Mourner(nothing))
    await runtime.start()

    await post(town, "town.agent.clerk", **HOPS)
    await until(lambda: bool(town.records("topic.out")), "the fault is told")
    await runtime.stop_when_idle()

    assert [each.aghops for each in town.events("topic.out")] == [INTEGER_MAX]
    assert town.reasons("clerk") == ["HopLimitError"]


HALF = json.loads(r'"cut \ud83d"')


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_with_half_a_character_is_recorded_and_paid_once(town: Town, streamed: bool) -> None:
    model, heard = PaidModel(HALF), list[Any]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        asked = [UserMessage(content=HALF, source="test")]
        if streamed:
            *_, last = [item async for item in model.create_stream(asked)]
            assert isinstance(last, CreateResult)
            heard.append(last.content)
        else:
            heard.append((await model.create(asked)).content)
        if len(heard) == 1:
            raise ValueError("once more")

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert (heard, model.calls) == (["cut ?", "cut ?"], 1)


async def test_a_tool_may_be_called_with_half_a_character(town: Town) -> None:
    heard, attempts = list[str](), list[int]()

    async def say(text: str) -> str:
        heard.append(text)
        return text

    tool = FunctionTool(say, description="says it")

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await tool.run_json({"text": HALF}, CancellationToken())
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise ValueError("once more")

    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert (heard, attempts, town.reasons("clerk")) == ([HALF], [0, 1], [])
