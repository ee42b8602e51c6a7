from __future__ import annotations

import asyncio
import threading

import pytest

from agentopic.adapters.transport.sqlite_thread import CallThread


async def test_calls_run_one_after_another_in_the_order_given() -> None:
    thread = CallThread("test")
    seen: list[int] = []

    await asyncio.gather(*(thread.run(lambda n=n: seen.append(n)) for n in range(100)))

    assert seen == list(range(100))
    assert await thread.aclose(5.0)


async def test_error_of_a_call_reaches_its_caller_and_the_thread_goes_on() -> None:
    thread = CallThread("test")

    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0)

    assert await thread.run(lambda: 7) == 7
    assert await thread.aclose(5.0)


async def test_call_that_is_cancelled_before_its_turn_does_not_run() -> None:
    thread = CallThread("test")
    gate = threading.Event()
    seen: list[str] = []
    blocking = asyncio.create_task(thread.run(gate.wait))
    waiting = asyncio.create_task(thread.run(lambda: seen.append("ran")))
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.wait([waiting])
    gate.set()
    await blocking

    assert await thread.aclose(5.0)
    assert seen == []


async def test_closing_does_not_wait_for_a_call_that_is_stuck() -> None:
    thread = CallThread("test")
    gate = threading.Event()
    stuck = asyncio.create_task(thread.run(gate.wait))
    await asyncio.sleep(0)

    in_time = await thread.aclose(0.01)

    assert not in_time
    gate.set()
    await stuck
