"""A daemon thread that runs blocking calls one after another for an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class CallThread:
    """Runs calls in the order given. A call that has begun ends, whatever happens to who waits for it.

    Not an executor: those are joined when the interpreter exits, so that one call stuck behind a stopped
    process would hold the exit up for ever.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[], T]) -> T:
        """Run `call` in the thread and return its result or raise its error.

        Cancelling it before the call's turn has come leaves the call out.
        """
        future: Future[T] = Future()
        self._calls.put(lambda: _settle(future, call))
        return await asyncio.wrap_future(future)

    def post(self, call: Callable[[], None]) -> None:
        """Run `call` in the thread when its turn comes, without waiting; its error, if any, is dropped."""
        future: Future[None] = Future()
        self._calls.put(lambda: _settle(future, call))

    async def aclose(self, timeout_seconds: float) -> bool:
        """Run what was given so far, then end; return whether that was done in time."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.run(lambda: None)
        except TimeoutError:
            return False
        finally:
            self._calls.put(None)
        return True

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - the caller, not this thread, decides on it
        future.set_exception(error)
