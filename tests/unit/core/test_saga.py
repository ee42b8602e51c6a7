"""Sagas where no durable turn records them: all deeds are done, or undone in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agentopic import RetryPolicy
from agentopic.core import fencing_token, saga
from agentopic.errors import ContextError, SagaNotUndoneError, SagaUndoneError

AT_ONCE = RetryPolicy(max_failures=3, initial_seconds=0.0)


class Agency:
    """Books and cancels, and remembers both."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def book(self, what: str) -> Callable[[], Coroutine[Any, Any, str]]:
        async def call() -> str:
            self.said.append(f"book {what}")
            return what

        return call

    async def cancel(self, what: str) -> None:
        self.said.append(f"cancel {what}")


async def fail() -> str:
    raise ValueError("no rooms")


async def test_a_block_that_ends_well_undoes_nothing():
    agency = Agency()

    async with saga() as s:
        flight = await s.do("flight", agency.book("flight"), undo=agency.cancel)
        await s.do("hotel", agency.book("hotel"), undo=agency.cancel)

    assert flight == "flight"
    assert agency.said == ["book flight", "book hotel"]


async def test_a_deed_that_fails_undoes_the_earlier_ones_in_reverse():
    agency = Agency()

    async def trip() -> None:
        async with saga("trip") as s:
            await s.do("flight", agency.book("flight"), undo=agency.cancel)
            await s.do("car", agency.book("car"), undo=agency.cancel)
            await s.do("hotel", fail, undo=agency.cancel)

    with pytest.raises(SagaUndoneError, match=r"'trip' was undone: ValueError: no rooms"):
        await trip()

    assert agency.said == ["book flight", "book car", "cancel car", "cancel flight"]


async def test_other_code_of_the_block_that_fails_undoes_too():
    agency = Agency()

    async def trip() -> None:
        async with saga() as s:
            await s.do("flight", agency.book("flight"), undo=agency.cancel)
            raise KeyError("price")

    with pytest.raises(SagaUndoneError) as caught:
        await trip()

    assert isinstance(caught.value.__cause__, KeyError)
    assert agency.said == ["book flight", "cancel flight"]


async def test_an_undoing_that_fails_is_tried_again():
    agency, failures = Agency(), [ConnectionError(), ConnectionError()]

    async def cancel(what: str) -> None:
        if failures:
            raise failures.pop()
        await agency.cancel(what)

    async def trip() -> None:
        async with saga(retry=AT_ONCE) as s:
            await s.do("flight", agency.book("flight"), undo=cancel)
            await s.do("hotel", fail)

    with pytest.raises(SagaUndoneError):
        await trip()

    assert agency.said == ["book flight", "cancel flight"]


async def test_what_cannot_be_undone_is_named_and_the_rest_is_undone():
    agency = Agency()

    async def refuse(_: str) -> None:
        raise ValueError("too late")

    async def trip() -> None:
        async with saga("trip", retry=AT_ONCE) as s:
            await s.do("flight", agency.book("flight"), undo=agency.cancel)
            await s.do("car", agency.book("car"), undo=refuse)
            await s.do("hotel", fail)

    with pytest.raises(SagaNotUndoneError) as caught:
        await trip()

    assert caught.value.left == {"car": "ValueError: too late"}
    assert str(caught.value) == "saga 'trip' failed (ValueError: no rooms) and left undone: car: ValueError: too late"
    assert agency.said == ["book flight", "book car", "cancel flight"]


async def test_a_deed_whose_connection_breaks_may_have_happened():
    agency = Agency()

    async def book_and_break() -> str:
        await agency.book("hotel")()
        raise ConnectionResetError("no answer")

    async def trip() -> None:
        async with saga() as s:
            await s.do("hotel", book_and_break, undo=agency.cancel, undo_unknown=lambda: agency.cancel("hotel, if any"))

    with pytest.raises(SagaUndoneError):
        await trip()

    assert agency.said == ["book hotel", "cancel hotel, if any"]


async def test_parallel_deeds_are_waited_for_before_anything_is_undone():
    agency, failed = Agency(), asyncio.Event()

    async def book_late() -> str:
        await failed.wait()
        return await agency.book("car")()

    async def fail_early() -> str:
        asyncio.get_running_loop().call_soon(failed.set)
        raise ValueError("no rooms")

    async def trip() -> None:
        async with saga() as s:
            await asyncio.gather(s.do("car", book_late, undo=agency.cancel), s.do("hotel", fail_early))

    with pytest.raises(SagaUndoneError):
        await trip()

    assert agency.said == ["book car", "cancel car"]


async def test_a_cancelled_task_undoes_and_stays_cancelled():
    agency, begun = Agency(), asyncio.Event()

    async def trip() -> None:
        async with saga() as s:
            await s.do("flight", agency.book("flight"), undo=agency.cancel)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(trip())
    await begun.wait()

    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    assert agency.said == ["book flight", "cancel flight"]


def test_there_is_no_fencing_token_where_nothing_is_leased():
    with pytest.raises(ContextError, match="durable runtime"):
        fencing_token()
