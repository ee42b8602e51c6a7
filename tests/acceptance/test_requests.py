"""Requests through the public API: one answer or one fault for each, on every mesh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from agentopic import AgentId, AgentService, MessageContext, RoutedAgent, message_handler, payload
from agentopic.core import try_get_known_serializers_for_type
from agentopic.errors import MissingTopicError, RequestError

from .durable_bed import DurableBed, durable_bed, durable_urls


@payload("ask.Question.v1")
class Question(BaseModel):
    number: int


@payload("ask.Reply.v1")
class Reply(BaseModel):
    number: int


class Doubler(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("doubles")

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> Reply:
        if message.number < 0:
            raise ValueError("a negative question")
        return Reply(number=message.number * 2)


class Summer(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("asks a doubler for each of three and adds up")

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> Reply:
        asked = (
            self.send_message(Question(number=message.number + more), AgentId("doubler", f"{self.id.key}-{more}"))
            for more in range(3)
        )
        return Reply(number=sum(reply.number for reply in await asyncio.gather(*asked)))


@pytest.fixture(params=["memory", "sqlite", "kafka"])
def urls(request: pytest.FixtureRequest, ns: str, tmp_path: Path) -> tuple[str, str]:
    return durable_urls(request.param, ns, tmp_path, request.getfixturevalue)


@pytest.fixture
async def bed(urls: tuple[str, str], ns: str) -> AsyncIterator[DurableBed]:
    async with durable_bed(urls, ns) as bed:
        yield bed


async def test_every_request_ends_in_its_own_answer_across_processes(bed: DurableBed):
    doublers, summers, client = bed.runtime(), bed.runtime(), bed.runtime()
    await AgentService("doubler", Doubler, stateless=True).register(doublers)
    await AgentService("summer", Summer, stateless=True, payloads=[Reply]).register(summers)
    client.add_message_serializer(try_get_known_serializers_for_type(Reply))
    for runtime in (doublers, summers, client):
        await runtime.start()

    replies = await asyncio.gather(
        *(client.send_message(Question(number=number), AgentId("summer", f"k{number % 5}")) for number in range(20))
    )

    assert [reply.number for reply in replies] == [6 * number + 6 for number in range(20)]


async def test_a_fault_names_what_the_handler_raised(bed: DurableBed):
    runtime = bed.runtime()
    await AgentService("doubler", Doubler, stateless=True).register(runtime)
    await runtime.start()

    with pytest.raises(RequestError, match="a negative question"):
        await runtime.send_message(Question(number=-1), AgentId("doubler", "k"))

    (letter,) = await bed.records("dead.doubler", 1)
    assert letter.topic == f"{bed.ns}.dead.doubler"


async def test_a_send_to_a_type_that_never_was_is_an_error_at_the_call(bed: DurableBed):
    runtime = bed.runtime()
    await runtime.start()

    with pytest.raises(MissingTopicError, match=r"agent\.nobody"):
        await runtime.send_message(Question(number=1), AgentId("nobody", "k"))
