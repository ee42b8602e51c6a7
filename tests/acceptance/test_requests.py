"""Requests through the public API: one answer or one fault for each, on every mesh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from agentopic import (
    AgentId,
    AgentService,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    message_handler,
    payload,
)
from agentopic.core import CancellationToken, FunctionCall, try_get_known_serializers_for_type
from agentopic.core._turn import ask
from agentopic.core.tool_agent import ToolAgent, ToolException
from agentopic.core.tools import FunctionTool
from agentopic.errors import CallCycleError, MissingTopicError, RequestError, RequestTimeoutError

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


# ── two processes ──────────────────────────────────────────────────────────────────────────────────────────


class Caller(RoutedAgent):
    """Asks another agent what it is told to ask."""

    other = ""
    meeting: asyncio.Barrier
    ends: list[str]

    def __init__(self) -> None:
        super().__init__("calls")

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> Reply:
        if ctx.is_rpc:
            return Reply(number=message.number)
        await self.meeting.wait()
        try:
            await self.send_message(Question(number=1), AgentId(self.other, self.id.key))
        except CallCycleError:
            self.ends.append("told")
        else:
            self.ends.append("answered")
        return Reply(number=0)


class Sleeper(RoutedAgent):
    """Works until it is cancelled."""

    began: asyncio.Event
    ended: asyncio.Event

    def __init__(self) -> None:
        super().__init__("works for ever")

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> Reply:
        self.began.set()
        try:
            await ctx.cancellation_token.link_future(asyncio.get_running_loop().create_future())
        finally:
            self.ended.set()
        return Reply(number=0)


class Decider(RoutedAgent):
    """Leaves it to a person."""

    def __init__(self) -> None:
        super().__init__("asks people")

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> Reply:
        return Reply(number=int(await ask("How many?")))


async def _once(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what other processes do
            await asyncio.sleep(0.01)


async def test_of_two_agents_in_two_processes_that_ask_each_other_one_is_told(bed: DurableBed):
    meeting, ends = asyncio.Barrier(2), list[str]()
    left = type("Left", (Caller,), {"other": "right", "meeting": meeting, "ends": ends})
    right = type("Right", (Caller,), {"other": "left", "meeting": meeting, "ends": ends})
    one, other = bed.runtime(), bed.runtime()
    for runtime, name, kind in ((one, "left", left), (other, "right", right)):
        service = AgentService(
            name, kind, stateless=True, payloads=[Reply, Question], subscriptions=[TypeSubscription("go", name)]
        )
        await service.register(runtime)
        await runtime.start()

    await one.publish_message(Question(number=0), TopicId("go", "k"))
    await _once(lambda: len(ends) == 2)

    assert sorted(ends) == ["answered", "told"]


async def test_a_request_to_a_type_that_no_process_runs_waits_until_its_deadline(bed: DurableBed):
    service, client = bed.runtime(), bed.runtime(request_timeout_seconds=1.0)
    await AgentService("doubler", Doubler, stateless=True).register(service)
    await service.start()
    await service.stop()
    client.add_message_serializer(try_get_known_serializers_for_type(Question))
    await client.start()

    with pytest.raises(RequestTimeoutError):
        await client.send_message(Question(number=1), AgentId("doubler", "k"))


async def test_a_request_is_cancelled_in_the_process_that_runs_it(bed: DurableBed):
    began, ended, token = asyncio.Event(), asyncio.Event(), CancellationToken()
    sleeper = type("Sleeping", (Sleeper,), {"began": began, "ended": ended})
    service, client = bed.runtime(), bed.runtime()
    await AgentService("sleeper", sleeper, stateless=True).register(service)
    client.add_message_serializer(try_get_known_serializers_for_type(Question))
    await service.start()
    await client.start()

    asking = asyncio.ensure_future(
        client.send_message(Question(number=1), AgentId("sleeper", "k"), cancellation_token=token)
    )
    async with asyncio.timeout(30):
        await began.wait()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    async with asyncio.timeout(30):
        await ended.wait()
    await service.stop_when_idle()


async def test_a_question_is_answered_from_elsewhere_after_its_process_was_replaced(bed: DurableBed):
    first, second, client = bed.runtime(), bed.runtime(), bed.runtime()
    for runtime in (first, second):
        await AgentService("decider", Decider, stateless=True).register(runtime)
    for kind in (Question, Reply):
        client.add_message_serializer(try_get_known_serializers_for_type(kind))
    await first.start()
    await client.start()

    asking = asyncio.ensure_future(client.send_message(Question(number=1), AgentId("decider", "k")))
    async with asyncio.timeout(30):
        while not (open_now := await first.control.questions(["decider"])):  # noqa: ASYNC110 - in the journal
            await asyncio.sleep(0.05)
    await first.stop()
    await client.control.answer(open_now[0].id, open_now[0].agent, 42)
    await second.start()

    async with asyncio.timeout(30):
        assert (await asking).number == 42


async def test_a_tool_that_fails_in_another_process_is_told_by_its_own_error(bed: DurableBed):
    def divide(by: int) -> float:
        return 1 / by

    tool = FunctionTool(divide, description="divides", name="divide")
    service, client = bed.runtime(), bed.runtime()
    tools = AgentService("tools", lambda: ToolAgent("tools", [tool]), stateless=True, payloads=[FunctionCall])
    await tools.register(service)
    client.add_message_serializer(try_get_known_serializers_for_type(FunctionCall))
    await service.start()
    await client.start()

    call = FunctionCall(id="call-7", name="divide", arguments='{"by": 0}')
    with pytest.raises(ToolException) as caught:
        await client.send_message(call, AgentId("tools", "k"))

    assert (caught.value.call_id, caught.value.name) == ("call-7", "divide")
    assert isinstance(caught.value, RequestError)


async def test_a_caller_that_died_asks_again_and_gets_the_answer_of_the_first_time(bed: DurableBed):
    handled = list[int]()

    class Counting(RoutedAgent):
        def __init__(self) -> None:
            super().__init__("doubles, and counts")

        @message_handler
        async def on_question(self, message: Question, ctx: MessageContext) -> Reply:
            handled.append(message.number)
            return Reply(number=2 * message.number)

    service, first, second = bed.runtime(), bed.runtime(), bed.runtime()
    await AgentService("doubler", Counting, stateless=True).register(service)
    await service.start()
    answers = list[int]()
    for client in (first, second):
        for kind in (Question, Reply):
            client.add_message_serializer(try_get_known_serializers_for_type(kind))
        await client.start()
        answer = await client.send_message(Question(number=4), AgentId("doubler", "k"), message_id="the-question")
        answers.append(answer.number)
        await client.stop()

    assert (answers, handled) == ([8, 8], [4])
