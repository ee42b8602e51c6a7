"""Crashing everywhere finds what it is for, and names the point."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from functools import partial

import pytest
from pydantic import BaseModel

from agentopic import AgentService
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event, payload, step, step_path
from agentopic.testing import Aftermath, crash_everywhere, crash_point, expect


@payload("kit.Charge.v1")
class Charge(BaseModel):
    number: int


class Bank:
    def __init__(self) -> None:
        self.charged: list[int] = []

    async def charge(self, number: int) -> int:
        await crash_point("before the charge")
        self.charged.append(number)
        await crash_point("after the charge")
        return number


class Careful(RoutedAgent):
    repeatable = True

    def __init__(self, bank: Bank) -> None:
        super().__init__("charges")
        self.bank = bank

    @event
    async def on_charge(self, message: Charge, ctx: MessageContext) -> None:
        await self.charge(message.number)
        await self.publish_message(message, TopicId("charged", self.id.key))

    async def charge(self, number: int) -> None:
        await step("charge", partial(self.bank.charge, number), repeatable=self.repeatable)


class Careless(Careful):
    async def charge(self, number: int) -> None:
        await self.bank.charge(number)


class Afraid(Careful):
    repeatable = False


class Blocking(Careful):
    async def charge(self, number: int) -> None:
        await step("charge", lambda: asyncio.to_thread(self.bank.charged.append, number), repeatable=True)


class Streaming(Careful):
    """Is in the middle of streams, entered in its own context, when it is ended."""

    async def charge(self, number: int) -> None:
        with step_path("charging"):
            async with aclosing(self._charging(number)) as items:
                async for _ in items:
                    pass

    async def _charging(self, number: int) -> AsyncGenerator[int, None]:
        try:
            with step_path("inside"):
                await super().charge(number)
            yield number
        finally:
            await asyncio.sleep(0)  # has to wait once more to end


class Endless(Careful):
    async def charge(self, number: int) -> None:
        await step("charge", asyncio.Event().wait, repeatable=True)


_reading: ContextVar[bool] = ContextVar("reading", default=False)


@contextmanager
def reading() -> Generator[None]:
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)  # in another context this raises


async def pieces() -> AsyncGenerator[int, None]:
    with reading():
        for number in (1, 2):
            yield number


class Reading(Careful):
    async def charge(self, number: int) -> None:
        self.held = pieces(), self  # a cycle: it is the collector that finds it
        async for _ in self.held[0]:
            await crash_point("between two pieces")
            await asyncio.sleep(0.1)
        await super().charge(number)


EVENTS = [(Charge(number=7), TopicId("charges", "ann"))]


def service(agent: type[Careful], bank: Bank) -> AgentService:
    return AgentService(
        "till",
        lambda: agent(bank),
        subscriptions=[TypeSubscription("charges", "till")],
        publishes={"charged": Charge},
        stateless=True,
    )


def once(bank: Bank, after: Aftermath) -> None:
    expect(after.events("charged")).from_agent("till").exactly(1)
    assert len(bank.charged) <= 1 + after.open_calls["charge"], "charged twice"


def test_an_agent_that_records_its_steps_survives() -> None:
    bank = Bank()

    points = crash_everywhere(service(Careful, bank), EVENTS, partial(once, bank), reset=bank.charged.clear)

    assert {"after intake", "after intent", "after the charge", "before result", "after commit", "after send"} <= set(
        points
    )


def test_an_agent_that_records_nothing_is_found_out() -> None:
    bank = Bank()

    with pytest.raises(AssertionError, match=r"^crashed at point \d+ of \d+, 'after the charge': charged twice"):
        crash_everywhere(service(Careless, bank), EVENTS, partial(once, bank), reset=bank.charged.clear)


def test_what_is_given_up_after_a_crash_is_told() -> None:
    bank = Bank()

    with pytest.raises(AssertionError, match=r"'after intent': till has given up: StepOutcomeUnknownError"):
        crash_everywhere(service(Afraid, bank), EVENTS, partial(once, bank), reset=bank.charged.clear)


def test_dead_letters_may_be_expected() -> None:
    bank, letters = Bank(), set[int]()

    def check(after: Aftermath) -> None:
        letters.add(len(after.dead_letters("till")))
        assert len(after.events("charged")) + len(after.dead_letters("till")) == 1

    crash_everywhere(service(Afraid, bank), EVENTS, check, reset=bank.charged.clear, dead_letters=True)

    assert letters == {0, 1}


def test_what_is_left_of_a_dead_process_is_not_heard_of() -> None:
    bank = Bank()

    crash_everywhere(service(Streaming, bank), EVENTS, partial(once, bank), reset=bank.charged.clear)
    gc.collect()  # a generator that could not end would say so here, and a warning is an error


def test_blocking_code_runs_too() -> None:
    bank = Bank()

    crash_everywhere(service(Blocking, bank), EVENTS, partial(once, bank), reset=bank.charged.clear)

    assert bank.charged == [7]


def test_a_stream_that_a_dead_process_has_half_read_is_not_heard_of_again() -> None:
    bank = Bank()

    points = crash_everywhere(service(Reading, bank), EVENTS, partial(once, bank), reset=bank.charged.clear)
    gc.collect()  # with warnings as errors, as in all tests here

    assert points.count("between two pieces") == 2


def test_what_never_ends_is_told_with_what_it_waits_for() -> None:
    with pytest.raises(AssertionError, match=r"without a crash: not done after .* open steps: effect 'charge'"):
        crash_everywhere(service(Endless, Bank()), EVENTS, lambda _: None)


def test_a_check_that_fails_without_a_crash_says_so() -> None:
    def check(_: Aftermath) -> None:
        raise AssertionError("wrong from the start")

    with pytest.raises(AssertionError, match="without a crash: wrong from the start"):
        crash_everywhere(service(Careful, Bank()), EVENTS, check)


async def test_a_crash_point_costs_nothing_elsewhere() -> None:
    await crash_point("nowhere")
