"""Requests between agents: chains, cycles, deadlines, and thousands at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from agentopic.adapters.clock import SystemClock
from agentopic.core import AgentId, MessageContext
from agentopic.errors import CallCycleError, RequestError, RequestTimeoutError

from .town import Note, Resident, Town, nothing, topic, until

MANY = 10_000


@pytest.mark.timeout(300)
async def test_ten_thousand_turns_that_await_each_other_in_one_process_all_finish(town: Town):
    answered = list[str]()

    async def relay(agent: Resident, message: Note, ctx: MessageContext) -> Note | None:
        if message.number == 0:
            return Note(text="yes")
        other = AgentId("clerk", f"callee-{message.number}")
        reply = await agent.send_message(Note(number=0), other)
        answered.append(reply.text)
        return None

    runtime = town.runtime(max_concurrent_agents=10, message_queue_size=50_000)
    await town.settle(runtime, "clerk", relay)
    await runtime.start()

    for number in range(1, MANY + 1):
        await runtime.publish_message(Note(number=number), topic("clerk", f"caller-{number}"))
    await until(lambda: len(answered) == MANY, "every turn has its answer", 240)

    assert set(answered) == {"yes"}


async def test_a_thousand_requests_at_once_each_get_their_own_answer(town: Town):
    async def double(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        return Note(number=2 * message.number)

    service, client = town.runtime(), town.runtime()
    await town.settle(service, "clerk", double)
    await town.settle(client, "asker", nothing)
    await service.start()
    await client.start()

    answers = await asyncio.gather(
        *(client.send_message(Note(number=number), AgentId("clerk", f"k{number % 50}")) for number in range(1000))
    )

    assert [answer.number for answer in answers] == [2 * number for number in range(1000)]


async def test_of_two_agents_that_ask_each_other_one_is_told_and_the_other_answered(town: Town):
    outcomes, begun = dict[str, object](), set[str]()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        if ctx.is_rpc:
            return Note(text=f"{agent.id.type} answers")
        begun.add(agent.id.type)
        await until(lambda: len(begun) == 2, "both are at work")
        other = AgentId("right" if agent.id.type == "left" else "left", agent.id.key)
        try:
            outcomes[agent.id.type] = (await agent.send_message(Note(), other)).text
        except CallCycleError as exc:
            outcomes[agent.id.type] = exc
        return Note()

    one, other = town.runtime(), town.runtime()
    await town.settle(one, "left", ask)
    await town.settle(other, "right", ask)
    await one.start()
    await other.start()

    for name in ("left", "right"):
        await one.publish_message(Note(), topic(name, "k"))
    await until(lambda: len(outcomes) == 2, "both turns went on")

    kinds = sorted(type(outcome).__name__ for outcome in outcomes.values())
    assert kinds == ["CallCycleError", "str"]


async def test_a_longer_cycle_is_told_to_the_one_who_closes_it(town: Town):
    async def pass_on(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        ring = {"ann": "bob", "bob": "cyd", "cyd": "ann"}
        return await agent.send_message(Note(), AgentId(ring[agent.id.type], "k"))

    runtime = town.runtime()
    for name in ("ann", "bob", "cyd"):
        await town.settle(runtime, name, pass_on)
    await runtime.start()

    with pytest.raises(CallCycleError):
        await runtime.send_message(Note(), AgentId("ann", "k"))


async def test_an_outsider_in_the_name_of_an_agent_closes_no_cycle(town: Town):
    let_go = asyncio.Event()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        if agent.id.type == "boss" and not ctx.is_rpc:
            await agent.send_message(Note(), AgentId("clerk", "k"))
        if agent.id.type == "clerk":
            await let_go.wait()
        return Note(text="here")

    runtime = town.runtime()
    for name in ("boss", "clerk"):
        await town.settle(runtime, name, ask)
    await runtime.start()

    await runtime.publish_message(Note(), topic("boss", "k"))
    await until(lambda: bool(town.records("agent.clerk")), "boss/k waits for clerk/k")
    asking = asyncio.ensure_future(runtime.send_message(Note(), AgentId("boss", "k"), sender=AgentId("clerk", "k")))
    await until(lambda: bool(town.records("agent.boss")), "asked in the name of clerk/k")
    let_go.set()

    assert (await asking).text == "here"


async def test_a_request_to_a_type_without_a_process_waits_until_its_deadline(town: Town):
    caught = list[Exception]()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        try:
            await agent.send_message(Note(), AgentId("ghost", "k"))
        except RequestTimeoutError as exc:
            caught.append(exc)

    town.create("agent.ghost")
    runtime = town.runtime(request_timeout_seconds=0.3)
    await town.settle(runtime, "clerk", ask)
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(caught), "the deadline passed")
    await runtime.stop_when_idle()

    assert len(caught) == 1


async def test_a_request_waits_for_a_process_that_starts_before_its_deadline(town: Town):
    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        return Note(text="late but here")

    town.create("agent.clerk")
    client, service = town.runtime(), town.runtime()
    await client.start()

    asking = asyncio.ensure_future(client.send_message(Note(), AgentId("clerk", "k")))
    await until(lambda: bool(town.records("agent.clerk")), "it was asked")
    await town.settle(service, "clerk", answer)
    await service.start()

    assert (await asking).text == "late but here"


async def test_a_deadline_is_inherited_down_the_chain(town: Town):
    expiries = dict[str, datetime | None]()

    async def pass_on(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        following = {"ann": "bob", "bob": "cyd"}.get(agent.id.type)
        if following is not None:
            return await agent.send_message(Note(), AgentId(following, "k"))
        return Note(text="end of the line")

    front, back = town.runtime(request_timeout_seconds=30.0), town.runtime(request_timeout_seconds=600.0)
    for name in ("ann", "bob", "cyd"):
        await town.settle(back, name, pass_on)
    await town.settle(front, "front", nothing)  # joined, it has its requests written down
    await back.start()
    await front.start()

    assert (await front.send_message(Note(), AgentId("ann", "k"))).text == "end of the line"

    for name in ("ann", "bob", "cyd"):
        (asked,) = town.events(f"agent.{name}")
        expiries[name] = asked.expirytime
    first, second, third = (expiries[name] for name in ("ann", "bob", "cyd"))
    assert first is not None
    assert second is not None
    assert third is not None
    assert second <= first
    assert third <= first


async def test_who_waits_at_the_end_of_a_chain_is_told_when_the_first_deadline_passes(town: Town):
    town.create("agent.ghost")
    ends = list[str]()

    async def pass_on(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        following = {"ann": "bob", "bob": "ghost"}[agent.id.type]
        try:
            return await agent.send_message(Note(), AgentId(following, "k"))
        except RequestTimeoutError:
            ends.append(agent.id.type)
            raise

    front, back = town.runtime(request_timeout_seconds=0.4), town.runtime(request_timeout_seconds=600.0)
    for name in ("ann", "bob"):
        await town.settle(back, name, pass_on)
    await town.settle(front, "front", nothing)  # joined, it has its requests written down
    await back.start()
    await front.start()

    with pytest.raises(RequestTimeoutError):
        await front.send_message(Note(), AgentId("ann", "k"))
    await until(lambda: set(ends) == {"ann", "bob"}, "nobody goes on waiting")


async def test_a_client_that_is_not_joined_has_the_whole_chain_cancelled_when_its_time_is_over(town: Town):
    town.create("agent.ghost")
    ends = list[str]()

    async def pass_on(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        following = {"ann": "bob", "bob": "ghost"}[agent.id.type]
        try:
            return await agent.send_message(Note(), AgentId(following, "k"))
        finally:
            ends.append(agent.id.type)

    front, back = town.runtime(request_timeout_seconds=0.4), town.runtime(request_timeout_seconds=600.0)
    for name in ("ann", "bob"):
        await town.settle(back, name, pass_on)
    await back.start()
    await front.start()

    with pytest.raises(RequestTimeoutError):
        await front.send_message(Note(), AgentId("ann", "k"))
    await until(lambda: set(ends) == {"ann", "bob"}, "nobody goes on waiting")

    assert [each.expirytime for each in town.events("agent.ann")] == [None]


class AwryClock(SystemClock):
    """A wall clock that is wrong by some hours."""

    def __init__(self, hours: float) -> None:
        self.wrong_by = timedelta(hours=hours)

    def now(self) -> datetime:
        return super().now() + self.wrong_by


@pytest.mark.parametrize("hours", [-1.0, 1.0], ids=["behind", "ahead"])
@pytest.mark.parametrize("is_joined", [True, False], ids=["joined", "not joined"])
async def test_a_callers_wall_clock_does_not_say_when_its_request_expires(town: Town, hours: float, is_joined: bool):
    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        return Note(text="in time")

    front, back = town.runtime(clock=AwryClock(hours), request_timeout_seconds=30.0), town.runtime()
    await town.settle(back, "ann", answer)
    if is_joined:
        await town.settle(front, "front", nothing)
    await back.start()
    await front.start()

    answered = await front.send_message(Note(), AgentId("ann", "k"))

    (asked,) = town.events("agent.ann")
    assert answered.text == "in time"
    assert (asked.expirytime is not None) is is_joined
    assert asked.expirytime is None or abs(asked.expirytime - datetime.now(UTC)) < timedelta(minutes=1)


async def test_an_answer_too_large_for_the_broker_is_a_fault_and_no_silence(town: Town):
    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        return Note(text="x" * 3_000_000)

    runtime = town.runtime()
    await town.settle(runtime, "clerk", answer)
    await runtime.start()

    with pytest.raises(RequestError, match="limit") as caught:
        await runtime.send_message(Note(), AgentId("clerk", "k"))

    assert caught.value.error_type == "RecordRefusedError"


async def test_a_request_too_large_for_the_broker_fails_at_the_call(town: Town):
    runtime = town.runtime()
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    with pytest.raises(Exception, match="limit"):
        await runtime.send_message(Note(text="x" * 3_000_000), AgentId("clerk", "k"))
