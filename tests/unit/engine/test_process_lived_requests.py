"""Requests to process-lived agents: answered as long as their process lives, and never waited for beyond it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from agentopic.core import AgentId, CancellationToken, ClosureContext, MessageContext
from agentopic.engine.faults import raise_fault
from agentopic.engine.runtime import EngineRuntime
from agentopic.envelope import Envelope
from agentopic.errors import (
    MissingTopicError,
    OwnerGoneError,
    PayloadError,
    RequestCancelledError,
    RequestError,
    RequestTimeoutError,
    UnregisteredInstanceError,
)

from .neighbours import Closure, client, lives, mesh_name
from .town import Note, Resident, Town, nothing, topic, until

QUICK: dict[str, Any] = {"request_resend_seconds": 0.1, "request_resends": 2}
FRIEND = AgentId("friend", "k")


async def owner_of(town: Town, closure: Closure, **options: Any) -> tuple[EngineRuntime, AgentId]:
    """Return a process with a closure, and what the closure is called on the mesh."""
    owner = client(town, **options)
    await lives(owner, "friend", closure)
    await owner.start()
    return owner, await mesh_name(town, owner, FRIEND)


def requests(town: Town) -> list[Envelope]:
    """Return the requests that processes were asked to hear."""
    return [each for each in town.events("replies") if each.agmsgkind == "request"]


def acks(town: Town) -> list[Envelope]:
    """Return what processes have acknowledged."""
    return [each for each in town.events("replies") if each.agmsgkind == "ack"]


async def answer(_: ClosureContext, message: Note, ctx: MessageContext) -> Note:
    return Note(text=f"{message.text}!", number=int(ctx.is_rpc))


async def for_ever(_: ClosureContext, message: Note, ctx: MessageContext) -> None:
    await asyncio.Event().wait()


# ── in the process ─────────────────────────────────────────────────────────────────────────────────────────


async def test_inside_its_process_a_message_is_handed_over_as_it_is(town: Town):
    given = list[Note]()

    async def take(_: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        given.append(message)
        return message

    runtime = client(town)
    await lives(runtime, "friend", take)
    await runtime.start()
    note = Note(text="same")

    returned = await runtime.send_message(note, FRIEND)

    assert given[0] is note
    assert returned is note
    assert not town.records("replies")


async def test_inside_its_process_a_handlers_error_is_raised_as_it_is(town: Town):
    async def fail(_: ClosureContext, message: Note, ctx: MessageContext) -> None:
        raise TimeoutError("its own")

    runtime = client(town)
    await lives(runtime, "friend", fail)
    await runtime.start()

    with pytest.raises(TimeoutError, match="its own"):
        await runtime.send_message(Note(), FRIEND)


async def test_an_instance_that_is_not_registered_is_an_error_at_the_call(town: Town):
    runtime = client(town)
    await Resident(nothing).register_instance(runtime, AgentId("resident", "here"))
    await runtime.start()

    with pytest.raises(UnregisteredInstanceError):
        await runtime.send_message(Note(), AgentId("resident", "elsewhere"))


async def test_agents_of_one_process_ask_each_other_and_themselves(town: Town):
    async def ask(agent: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        if message.number == 0:
            return Note(text=str(ctx.sender))
        return await agent.send_message(Note(number=message.number - 1), agent.id)

    runtime = client(town)
    await lives(runtime, "friend", ask)
    await runtime.start()

    assert (await runtime.send_message(Note(number=3), FRIEND)).text == "friend/k"


async def test_a_cancelled_caller_is_told_at_once_and_the_handler_by_its_token(town: Town):
    tokens, runtime = list[CancellationToken](), client(town)

    async def wait(_: ClosureContext, message: Note, ctx: MessageContext) -> None:
        tokens.append(ctx.cancellation_token)
        await ctx.cancellation_token.link_future(asyncio.get_running_loop().create_future())

    await lives(runtime, "friend", wait)
    await runtime.start()
    token = CancellationToken()
    asking = asyncio.ensure_future(runtime.send_message(Note(), FRIEND, cancellation_token=token))
    await until(lambda: bool(tokens), "it runs")

    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert tokens == [token]


async def test_a_silent_neighbour_is_waited_for_no_longer_than_any_other_agent(town: Town):
    runtime = client(town, request_timeout_seconds=0.05, drain_seconds=0.0)
    await lives(runtime, "friend", for_ever)
    await runtime.start()

    with pytest.raises(RequestTimeoutError):
        await runtime.send_message(Note(), FRIEND)


# ── from other processes ───────────────────────────────────────────────────────────────────────────────────


async def test_another_process_asks_by_the_name_that_the_sender_gave(town: Town):
    _, name = await owner_of(town, answer)
    other = client(town)
    await other.start()

    reply = await other.send_message(Note(text="hello"), name)

    assert reply == Note(text="hello!", number=1)


async def test_the_name_of_its_own_process_is_as_good_as_the_short_one(town: Town):
    owner, name = await owner_of(town, answer)

    assert name.type != "friend"
    assert (await owner.send_message(Note(text="me"), name)).text == "me!"


async def test_a_service_answers_the_process_lived_agent_that_has_asked_it(town: Town):
    async def ask_back(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        assert ctx.sender is not None
        return await agent.send_message(Note(text="who?"), ctx.sender)

    async def chat(agent: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        if message.text == "who?":
            return Note(text=str(ctx.sender))
        return await agent.send_message(message, AgentId("clerk", "c"))

    service, script = town.runtime(), client(town)
    await town.settle(service, "clerk", ask_back)
    await service.start()
    await lives(script, "friend", chat)
    await script.start()

    assert (await script.send_message(Note(text="go"), FRIEND)).text == "clerk/c"


async def test_a_fault_travels_as_from_any_other_agent(town: Town):
    async def fail(_: ClosureContext, message: Note, ctx: MessageContext) -> None:
        raise PayloadError("not so")

    _, name = await owner_of(town, fail)
    other = client(town)
    await other.start()

    with pytest.raises(PayloadError, match="not so") as caught:
        await other.send_message(Note(), name)
    assert isinstance(caught.value, RequestError)


async def test_an_answer_that_cannot_be_serialised_is_a_fault(town: Town):
    async def fail(_: ClosureContext, message: Note, ctx: MessageContext) -> object:
        return object()

    _, name = await owner_of(town, fail)
    other = client(town)
    await other.start()

    with pytest.raises(PayloadError):
        await other.send_message(Note(), name)


async def test_a_request_sent_again_and_again_is_handled_once(town: Town):
    handled, go = list[int](), asyncio.Event()

    async def slow(_: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        handled.append(1)
        await go.wait()
        return Note(text="done")

    _, name = await owner_of(town, slow)
    other = client(town, **QUICK)
    await other.start()

    asking = asyncio.ensure_future(other.send_message(Note(), name))
    await until(lambda: len(requests(town)) > 4, "it was sent more often than a silent owner is asked")
    go.set()

    assert (await asking).text == "done"
    assert len(handled) == 1
    assert [bool(each.data) for each in requests(town)][:2] == [True, False]


async def test_the_same_request_asked_again_later_gets_the_stored_answer(town: Town):
    handled = list[int]()

    async def count(_: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        handled.append(1)
        return Note(number=len(handled))

    _, name = await owner_of(town, count)
    other = client(town)
    await other.start()

    answers = [await other.send_message(Note(), name, message_id="once") for _ in range(2)]

    assert [each.number for each in answers] == [1, 1]


async def test_a_cancelled_request_reaches_the_process_of_the_callee(town: Town):
    ended = asyncio.Event()

    async def wait(_: ClosureContext, message: Note, ctx: MessageContext) -> None:
        ctx.cancellation_token.add_callback(ended.set)
        await asyncio.Event().wait()

    owner, name = await owner_of(town, wait)
    other, token = client(town), CancellationToken()
    await other.start()
    asking = asyncio.ensure_future(other.send_message(Note(), name, cancellation_token=token))
    await until(lambda: bool(requests(town)), "it was sent")
    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    await ended.wait()
    await owner.stop_when_idle()


# ── the end of the owner ───────────────────────────────────────────────────────────────────────────────────


async def test_an_owner_that_is_dead_is_found_out_by_its_silence(town: Town):
    owner, name = await owner_of(town, for_ever, drain_seconds=0.0)
    other = client(town, **QUICK)
    await other.start()
    asking = asyncio.ensure_future(other.send_message(Note(), name))
    await until(lambda: bool(acks(town)), "it is being handled")

    await owner.mesh.transport.aclose()

    with pytest.raises(OwnerGoneError):
        await asking


async def test_an_owner_that_was_gone_before_is_found_out_too(town: Town):
    owner, name = await owner_of(town, answer)
    await owner.stop()
    other = client(town, **QUICK)
    await other.start()

    with pytest.raises(OwnerGoneError, match="owner gone"):
        await other.send_message(Note(), name)


async def test_an_owner_that_stops_says_so_to_those_who_wait(town: Town):
    owner, name = await owner_of(town, for_ever, drain_seconds=0.05)
    other = client(town)
    await other.start()
    asking = asyncio.ensure_future(other.send_message(Note(), name))
    await until(lambda: bool(acks(town)), "it is being handled")

    await owner.stop()

    async with asyncio.timeout(2):
        with pytest.raises(OwnerGoneError):
            await asking


async def test_a_handler_may_end_while_its_process_stops(town: Town):
    async def slow(_: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        await asyncio.sleep(0.1)
        return Note(text="just in time")

    owner, name = await owner_of(town, slow)
    other = client(town)
    await other.start()
    asking = asyncio.ensure_future(other.send_message(Note(), name))
    await until(lambda: bool(acks(town)), "it is being handled")

    await owner.stop()

    assert (await asking).text == "just in time"


async def test_a_runtime_started_anew_has_another_name(town: Town):
    owner, name = await owner_of(town, answer)
    await owner.stop()
    again = client(town)
    await lives(again, "friend", answer)
    await again.start()

    assert await mesh_name(town, again, FRIEND) != name


# ── inside durable turns ───────────────────────────────────────────────────────────────────────────────────


async def test_a_turn_asks_its_neighbour_once_over_all_attempts(town: Town):
    handled = list[str]()

    async def count(_: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        handled.append(str(ctx.sender))
        return Note(text="neighbour")

    runtime, failing = town.runtime(), [1]

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        reply = await agent.send_message(Note(), FRIEND)
        if failing:
            failing.pop()
            raise ConnectionError("once more")
        return reply

    await town.settle(runtime, "clerk", ask)
    await lives(runtime, "friend", count)
    await runtime.start()

    assert (await runtime.send_message(Note(), AgentId("clerk", "c"))).text == "neighbour"
    assert handled == ["clerk/c"]


async def test_a_neighbours_publishes_are_not_those_of_the_turn_that_asked_it(town: Town):
    async def tell(agent: ClosureContext, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(Note(text="told"), topic("told"))

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.send_message(Note(), FRIEND)

    runtime = town.runtime()
    town.create("topic.told")
    await town.settle(runtime, "clerk", ask)
    await lives(runtime, "friend", tell)
    await runtime.start()
    await runtime.send_message(Note(), AgentId("clerk", "c"))

    (event,) = town.events("topic.told")
    assert (event.agagentsendertype or "").startswith("friend.p-")


async def test_a_turn_that_waits_for_an_owner_that_dies_gets_its_fault(town: Town):
    owner, name = await owner_of(town, for_ever, drain_seconds=0.0)
    errors = list[str]()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        try:
            await agent.send_message(Note(), name)
        except OwnerGoneError as exc:
            errors.append(str(exc))

    service = town.runtime(**QUICK)
    await town.settle(service, "clerk", ask)
    await service.start()
    await service.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(acks(town)), "it is being handled")

    await owner.mesh.transport.aclose()
    await until(lambda: len(errors) == 1, "the turn is told")


async def test_a_turn_that_was_unwound_learns_all_the_same_that_the_owner_is_gone(town: Town):
    owner, name = await owner_of(town, for_ever, drain_seconds=0.0)
    attempts, errors = list[int](), list[str]()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        try:
            await agent.send_message(Note(), name)
        except OwnerGoneError as exc:
            errors.append(str(exc))

    service = town.runtime(**QUICK, request_timeout_seconds=None, suspend_seconds=0.0)
    await town.settle(service, "clerk", ask)
    await service.start()
    await service.publish_message(Note(), topic("clerk"))
    await until(lambda: len(attempts) > 1, "it was unwound and looks again")

    await owner.mesh.transport.aclose()
    await until(lambda: len(errors) == 1, "the turn is told")


async def test_silence_is_counted_on_by_a_turn_that_is_unwound_while_it_lasts(town: Town):
    owner, name = await owner_of(town, answer)
    await owner.stop()
    attempts, errors = list[int](), list[str]()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        try:
            await agent.send_message(Note(), name)
        except OwnerGoneError as exc:
            errors.append(str(exc))

    patience: dict[str, Any] = {"request_resend_seconds": 1.2, "request_resends": 2}
    service = town.runtime(**patience, request_timeout_seconds=None, suspend_seconds=0.0)
    await town.settle(service, "clerk", ask)
    await service.start()

    await service.publish_message(Note(), topic("clerk"))

    await until(lambda: len(errors) == 1, "the turn is told", 20)
    assert len(attempts) > 1


async def test_a_turn_that_was_unwound_gets_the_answer_that_came_meanwhile(town: Town):
    handled, go, got = list[int](), asyncio.Event(), list[str]()

    async def slow(_: ClosureContext, message: Note, ctx: MessageContext) -> Note:
        handled.append(1)
        await go.wait()
        return Note(text="late")

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        got.append((await agent.send_message(Note(), name)).text)

    _, name = await owner_of(town, slow)
    service = town.runtime(suspend_seconds=0.0, request_resend_seconds=5.0)
    await town.settle(service, "clerk", ask)
    await service.start()
    await service.publish_message(Note(), topic("clerk"))
    await until(lambda: len(requests(town)) > 1, "it was unwound, and the answer is asked for where it finds its lane")
    go.set()
    await until(lambda: got == ["late"], "the turn has gone on")

    assert len(handled) == 1


async def test_a_turn_that_breaks_off_its_waiting_has_its_neighbours_work_cancelled(town: Town):
    cancelled = asyncio.Event()

    async def wait(_: ClosureContext, message: Note, ctx: MessageContext) -> None:
        ctx.cancellation_token.add_callback(cancelled.set)
        await asyncio.Event().wait()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await agent.send_message(Note(), FRIEND)

    runtime = town.runtime()
    await town.settle(runtime, "clerk", ask)
    await lives(runtime, "friend", wait)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))

    async with asyncio.timeout(10):
        await cancelled.wait()
    await runtime.stop_when_idle()
    assert not [name for name in town.log.topics() if "friend" in name]


async def test_a_request_cancelled_before_it_came_is_never_handled(town: Town):
    handled = list[int]()

    async def count(_: ClosureContext, message: Note, ctx: MessageContext) -> None:
        handled.append(1)

    _, name = await owner_of(town, count)
    other = client(town)
    await other.start()
    request = Envelope(id="r1", source="/outside", type="town.Note.v1", data=b"{}", datacontenttype="application/json")

    await other.control.cancel_request(name, request)
    answer = await other.request_envelope(request, name, deadline_seconds=5.0)

    assert (answer.agmsgkind, handled) == ("fault", [])
    with pytest.raises(RequestCancelledError):
        raise_fault(answer)


async def test_a_type_that_lives_in_no_process_here_is_missing(town: Town):
    runtime = town.runtime()
    await runtime.start()

    with pytest.raises(MissingTopicError):
        await runtime.send_message(Note(), FRIEND)
