"""`CancellationToken`: lets a caller cancel the asynchronous work that was started on its behalf."""

from __future__ import annotations

import asyncio
import threading
from asyncio import Future
from collections.abc import Callable
from typing import Any, Final

# one lock for all tokens: it is held for a few instructions only, and a token per message need not carry its own;
# reentrant, because a signal handler may cancel while its own thread is in here
_lock: Final = threading.RLock()


class CancellationToken:
    """Cancels everything linked to it, once; may be cancelled from any thread.

    A callback or future added after `cancel` is called or cancelled at once: a late link is never missed.
    A linked future is let go when it is done, so that one token can serve a long conversation.
    """

    __slots__ = ("__weakref__", "_callbacks", "_cancelled", "_futures")

    def __init__(self) -> None:
        self._cancelled = False
        self._callbacks: tuple[Callable[[], object], ...] = ()
        self._futures: set[Future[Any]] | None = None

    def cancel(self) -> None:
        """Cancel all linked work; further calls do nothing."""
        with _lock:
            self._cancelled = True
            callbacks, self._callbacks = self._callbacks, ()
            futures, self._futures = self._futures, None
        for future in futures or ():
            _cancel(future)
        for callback in callbacks:
            callback()

    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def add_callback(self, callback: Callable[[], object]) -> None:
        """Call `callback` when the token is cancelled, or now if it already is."""
        with _lock:
            if not self._cancelled:
                self._callbacks = (*self._callbacks, callback)
                return
        callback()

    def link_future(self, future: Future[Any]) -> Future[Any]:
        """Cancel `future` when the token is cancelled, or now if it already is; returns the same future."""
        with _lock:
            linked = not self._cancelled
            if linked:
                self._futures = self._futures or set()
                self._futures.add(future)
        if linked:
            future.add_done_callback(self._let_go)
        else:
            _cancel(future)
        return future

    def _let_go(self, future: Future[Any]) -> None:
        with _lock:
            if self._futures is not None:
                self._futures.discard(future)


def _cancel(future: Future[Any]) -> None:
    loop = future.get_loop()
    if not loop.is_running() or _is_running_here(loop):
        future.cancel()
    else:  # another thread's loop: its futures may only be touched there
        loop.call_soon_threadsafe(future.cancel)


def _is_running_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
