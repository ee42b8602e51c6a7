"""Cancelling linked work."""

from __future__ import annotations

import asyncio
import threading

from agentopic.core import CancellationToken


async def test_cancel_cancels_futures_and_calls_callbacks_once() -> None:
    token, calls = CancellationToken(), list[int]()
    future = asyncio.get_running_loop().create_future()
    token.add_callback(lambda: calls.append(1))

    linked = token.link_future(future)
    token.cancel()
    token.cancel()

    assert linked is future
    assert future.cancelled()
    assert token.is_cancelled()
    assert calls == [1]


async def test_what_is_linked_after_cancel_is_cancelled_at_once() -> None:
    token, calls = CancellationToken(), list[int]()
    token.cancel()

    future = token.link_future(asyncio.get_running_loop().create_future())
    token.add_callback(lambda: calls.append(1))

    assert future.cancelled()
    assert calls == [1]


async def test_done_futures_are_let_go() -> None:
    token = CancellationToken()
    future = token.link_future(asyncio.get_running_loop().create_future())

    future.set_result(None)
    await asyncio.sleep(0)

    assert not token._futures


async def test_another_thread_may_cancel() -> None:
    token = CancellationToken()
    future = token.link_future(asyncio.get_running_loop().create_future())

    thread = threading.Thread(target=token.cancel)
    thread.start()
    await asyncio.wait((future,))
    thread.join()

    assert future.cancelled()


async def test_a_callback_may_cancel_again() -> None:
    token, calls = CancellationToken(), list[int]()
    token.add_callback(token.cancel)
    token.add_callback(lambda: calls.append(1))

    token.cancel()

    assert calls == [1]
