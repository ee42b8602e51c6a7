"""Runs a function that is not async in a thread of its own, which nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any


def call_in_thread(call: Callable[[], Any]) -> asyncio.Future[Any]:
    """Start a call in the current context and return its coming result.

    The thread is a daemon: one that hangs takes no place from others and does not keep the program from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def work() -> None:
        outcome: Any = None
        error: BaseException | None = None
        try:
            outcome = context.run(call)
        except StopIteration:
            error = RuntimeError("the function raised StopIteration")  # no future can carry it
        except BaseException as exc:  # noqa: BLE001 - handed on to who waits
            error = exc
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, future, outcome, error)

    threading.Thread(target=work, name="agentopic-tool", daemon=True).start()
    return future


def _settle(future: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(outcome)
    else:
        future.set_exception(error)
