"""Sagas in durable turns: whatever dies, all deeds are done or undone, and the caller learns which."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from agentopic import AgentService, RetryPolicy
from agentopic.core import (
    AgentId,
    MessageContext,
    TypeSubscription,
    saga,
    step,
    try_get_known_serializers_for_type,
)
from agentopic.engine.runtime import EngineRuntime
from agentopic.errors import RequestCancelledError, SagaUndoneError
from agentopic.testing import Aftermath, MemoryMesh, crash_everywhere, crash_point, expect

from .town import Handler, Note, Resident, Town, topic, until

AT_ONCE = RetryPolicy(max_failures=2, initial_seconds=0.0)


class Agency:
    """The outside world: what is booked under which order, and every call ever made."""

    def __init__(self) -> None:
        self.booked: set[str] = set()
        self.calls: list[str] = []

    def clear(self) -> None:
        self.booked.clear()
        self.calls.clear()

    async def book(self, what: str) -> str:
        await crash_point(f"about to book {what}")
        self.calls.append(f"book {what}")
        self.booked.add(what)
        await crash_point(f"booked {what}")
        return what

    async def cancel(self, what: str) -> None:
        await crash_point(f"about to cancel {what}")
        self.calls.append(f"cancel {what}")
        self.booked.discard(what)
        await crash_point(f"cancelled {what}")

    async def refuse(self) -> str:
        self.calls.append("refused")
        raise ValueError("no rooms")


def travel(handler: Handler) -> AgentService:
    return AgentService(
        "travel", partial(Resident, handler), subscriptions=[TypeSubscription("trips", "travel")], payloads=[Note]
    )


def trip_with(agency: Agency, *, hotel: bool) -> Handler:
    async def trip(agent: Resident, message: Note, ctx: MessageContext) -> None:
        booked = "yes"
        try:
            async with saga("trip", retry=AT_ONCE) as s:
                for what in ("flight", "car"):
                    await s.do(
                        f"book {what}",
                        partial(agency.book, what),
                        undo=agency.cancel,
                        undo_unknown=partial(agency.cancel, what),
                    )
                if hotel:
                    await s.do("book hotel", partial(agency.book, "hotel"), undo=agency.cancel, repeatable=True)
                else:
                    await s.do("book hotel", agency.refuse, undo_unknown=partial(agency.cancel, "hotel"))
        except SagaUndoneError:
            booked = "no"
        await agent.publish_message(Note(text=booked), topic("out"))

    return trip


def test_a_saga_that_fails_is_undone_in_full_wherever_its_process_dies() -> None:
    agency = Agency()

    def check(after: Aftermath) -> None:
        assert expect(after.events("out")).one(Note).text == "no"
        assert agency.booked == set()
        assert agency.calls.count("book flight") <= 1
        assert agency.calls.count("book car") <= 1

    crash_everywhere(
        travel(trip_with(agency, hotel=False)),
        [(Note(), topic("trips"))],
        check,
        reset=agency.clear,
        topics=["out"],
    )


def test_a_saga_is_done_in_full_or_undone_in_full_wherever_its_process_dies() -> None:
    agency, ends = Agency(), set[str]()

    def check(after: Aftermath) -> None:
        booked = expect(after.events("out")).one(Note).text
        assert agency.booked == ({"flight", "car", "hotel"} if booked == "yes" else set())
        ends.add(booked)

    crash_everywhere(
        travel(trip_with(agency, hotel=True)),
        [(Note(), topic("trips"))],
        check,
        reset=agency.clear,
        topics=["out"],
    )

    # A process that dies while something unrepeatable is being booked leaves an unknown outcome: that trip is undone.
    assert ends == {"yes", "no"}


def test_equal_deeds_side_by_side_are_undone_each_wherever_their_process_dies() -> None:
    seats = list[int]()

    async def trip(agent: Resident, message: Note, ctx: MessageContext) -> None:
        async def seat(number: int) -> int:
            await asyncio.sleep(number * 0.05)
            seats.append(number)
            return number

        async def free(number: int) -> None:
            while number in seats:
                seats.remove(number)

        with suppress(SagaUndoneError):
            async with saga("trip", retry=AT_ONCE) as s:
                await asyncio.gather(
                    *(s.do("seat", partial(seat, each), undo=free, repeatable=True) for each in (3, 1, 2))
                )
                raise ValueError("no trip")
        await agent.publish_message(message, topic("out"))

    def check(after: Aftermath) -> None:
        expect(after.events("out")).exactly(1)
        assert seats == [], "not undone"

    crash_everywhere(travel(trip), [(Note(), topic("trips"))], check, reset=seats.clear, topics=["out"])


def test_a_saga_that_has_ended_well_stays_when_the_next_one_is_undone() -> None:
    agency = Agency()

    async def trips(agent: Resident, message: Note, ctx: MessageContext) -> None:
        with suppress(SagaUndoneError):
            for what in ("flight", "car"):
                async with saga("trip", retry=AT_ONCE) as s:
                    await s.do("book", partial(agency.book, what), undo=agency.cancel, given=what, repeatable=True)
                    if what == "car":
                        raise ValueError("no cars")
        await agent.publish_message(message, topic("out"))

    def check(after: Aftermath) -> None:
        expect(after.events("out")).exactly(1)
        assert agency.booked == {"flight"}

    crash_everywhere(travel(trips), [(Note(), topic("trips"))], check, reset=agency.clear, topics=["out"])


async def test_what_was_decided_stays_so_when_the_block_does_not_fail_again(town: Town) -> None:
    agency, attempts, ended = Agency(), list[int](), list[str]()

    async def trip(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        try:
            async with saga() as s:
                await s.do("book flight", partial(agency.book, "flight"), undo=agency.cancel)
                if len(attempts) == 1:
                    raise ValueError("only this time")
                await s.do("book car", partial(agency.book, "car"), undo=agency.cancel)
        except SagaUndoneError as exc:
            ended.append(str(exc))
        if len(attempts) == 1:
            raise ValueError("so that there is another attempt")

    runtime = town.runtime()
    await town.settle(runtime, "travel", trip)
    await runtime.start()

    await runtime.publish_message(Note(), topic("travel"))

    await until(lambda: len(ended) == 2, "it is undone on both attempts")
    assert ended == ["saga 'saga' was undone: ValueError: only this time"] * 2
    assert agency.calls == ["book flight", "cancel flight"]


@pytest.mark.parametrize(("decision", "tries"), [("again", 3), ("done", 2), ("leave", 2)])
async def test_a_person_decides_about_what_cannot_be_undone(decision: str, tries: int) -> None:
    tried = list[str]()

    async def book() -> str:
        return "flight"

    async def cancel(what: str) -> None:
        tried.append(what)
        if len(tried) < 3:
            raise ValueError("the office is closed")

    async def trip(agent: Resident, message: Note, ctx: MessageContext) -> None:
        async with saga("trip", retry=AT_ONCE) as s:
            await s.do("book flight", book, undo=cancel)
            raise ValueError("no rooms")

    async with MemoryMesh(retry=RetryPolicy(max_failures=1)) as mesh:
        await mesh.run(travel(trip))
        await mesh.publish(Note(), topic("trips"))

        question = await mesh.question("travel")
        await mesh.answer(question, decision)
        await mesh.idle()

        assert question.note["choices"] == ["again", "done", "leave"]
        assert "cannot undo 'book flight' (ValueError: the office is closed)" in question.note["text"]
        (letter,) = mesh.dead_letters("travel")
        assert letter.reason == ("SagaNotUndoneError" if decision == "leave" else "SagaUndoneError")
        assert ("book flight: ValueError: the office is closed" in letter.message) == (decision == "leave")
        assert len(tried) == tries


# ── cancellation ───────────────────────────────────────────────────────────────────────────────────────────


class Traveller:
    """Books a flight, comes to a point that a test holds it at, books a car."""

    def __init__(self, agency: Agency) -> None:
        self.agency = agency
        self.there, self.go_on = asyncio.Event(), asyncio.Event()

    async def _halt(self) -> str:
        self.there.set()
        await self.go_on.wait()
        return "halted"

    async def halting(self, agent: Resident, message: Note, ctx: MessageContext) -> Note:
        async with saga() as s:
            await s.do("book flight", partial(self.agency.book, "flight"), undo=self.agency.cancel)
            await s.do("halt", self._halt, undo=self.agency.cancel)
            await s.do("book car", partial(self.agency.book, "car"), undo=self.agency.cancel)
        return message

    async def asking(self, agent: Resident, message: Note, ctx: MessageContext) -> Note:
        async with saga() as s:
            await s.do("book flight", partial(self.agency.book, "flight"), undo=self.agency.cancel)
            await ctx.ask("Which car?")
            await s.do("book car", partial(self.agency.book, "car"), undo=self.agency.cancel)
        return message

    async def ending(self, agent: Resident, message: Note, ctx: MessageContext) -> Note:
        async with saga() as s:
            await s.do("book flight", partial(self.agency.book, "flight"), undo=self.agency.cancel)
        await step("halt", self._halt)
        return message


async def _cancelled(mesh: MemoryMesh, when: Callable[[], Awaitable[object]]) -> asyncio.Task[Any]:
    """Ask for a trip and cancel that run then."""
    client = mesh.runtime()
    await client.start()
    client.add_message_serializer(try_get_known_serializers_for_type(Note))
    asked = asyncio.create_task(client.send_message(Note(), AgentId("travel", "ann"), message_id="the-run"))
    await when()
    await client.control.cancel_run("the-run")
    await until(lambda: bool(mesh.store.cancelled_runs), "the journal knows")
    return asked


async def test_a_cancelled_run_is_undone_before_it_ends() -> None:
    agency = Agency()
    traveller = Traveller(agency)
    async with MemoryMesh(lease_seconds=1.5) as mesh:
        await mesh.run(travel(traveller.halting))
        asked = await _cancelled(mesh, traveller.there.wait)

        traveller.go_on.set()

        with pytest.raises(RequestCancelledError):
            await asked
        assert agency.calls == ["book flight", "cancel halted", "cancel flight"]


async def test_what_a_saga_waits_for_ends_with_its_cancellation() -> None:
    agency = Agency()
    async with MemoryMesh(lease_seconds=1.5) as mesh:
        await mesh.run(travel(Traveller(agency).asking))

        asked = await _cancelled(mesh, lambda: mesh.question("travel"))

        with pytest.raises(RequestCancelledError):
            await asked
        assert agency.calls == ["book flight", "cancel flight"]


async def test_a_turn_whose_saga_has_ended_well_is_no_longer_cancelled() -> None:
    agency = Agency()
    traveller = Traveller(agency)
    async with MemoryMesh(lease_seconds=1.5) as mesh:
        await mesh.run(travel(traveller.ending))
        asked = await _cancelled(mesh, traveller.there.wait)

        traveller.go_on.set()
        await mesh.idle()

        assert agency.booked == {"flight"}
        asked.cancel()
        await asyncio.wait({asked})


def test_a_cancelled_saga_is_done_in_full_or_undone_in_full_wherever_its_process_dies() -> None:
    agency, ends = Agency(), set[int]()

    async def trip(agent: Resident, message: Note, ctx: MessageContext) -> None:
        runtime = agent.runtime
        assert isinstance(runtime, EngineRuntime)
        async with saga("trip", retry=AT_ONCE) as s:
            await s.do("book flight", partial(agency.book, "flight"), undo=agency.cancel, repeatable=True)
            await step("cancel", partial(runtime.control.cancel_run, ctx.message_id), repeatable=True)
            await ctx.sleep(1.0)
            await s.do("book car", partial(agency.book, "car"), undo=agency.cancel, repeatable=True)
        await agent.publish_message(Note(), topic("out"))

    def check(after: Aftermath) -> None:
        published = len(after.events("out"))
        assert agency.booked == ({"flight", "car"} if published else set()), f"{published}: {agency.calls}"
        ends.add(published)

    crash_everywhere(travel(trip), [(Note(), topic("trips"))], check, reset=agency.clear, topics=["out"])

    assert 0 in ends
