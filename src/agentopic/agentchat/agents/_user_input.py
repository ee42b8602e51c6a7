"""How a person is asked: a function of the user's, the durable inbox, or the terminal."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias, cast

from agentopic.core import CancellationToken
from agentopic.core._turn import step
from agentopic.errors import AgentopicError, UserInputError

SyncInputFunc: TypeAlias = Callable[[str], str]
AsyncInputFunc: TypeAlias = Callable[[str, CancellationToken | None], Awaitable[str]]
InputFuncType: TypeAlias = SyncInputFunc | AsyncInputFunc


async def terminal_input(prompt: str, cancellation_token: CancellationToken | None) -> str:
    """Read a line by `input`; a cancelled token ends the wait, not the reading."""
    return await _in_thread_of_its_own(input, prompt)


async def call_input_func(name: str, func: InputFuncType, prompt: str, cancellation_token: CancellationToken) -> str:
    """Call an input function; inside a durable turn its answer is recorded, and it is asked again until there is one.

    Raises:
        UserInputError: the function failed.
        asyncio.CancelledError: the token was cancelled.
    """

    async def call() -> str:
        return await _call(func, prompt, cancellation_token)

    asking = asyncio.ensure_future(step(f"{name}.input", call, given=prompt, repeatable=True))
    cancellation_token.link_future(asking)
    try:
        await asyncio.wait([asking])
    finally:
        asking.cancel()
    failure = None if asking.cancelled() else asking.exception()
    if isinstance(failure, Exception) and not isinstance(failure, AgentopicError):
        raise UserInputError(f"Failed to get user input: {str(failure) or type(failure).__name__}") from failure
    return asking.result()


async def _call(func: InputFuncType, prompt: str, cancellation_token: CancellationToken) -> str:
    if inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(getattr(func, "__call__", None)):  # noqa: B004 - an object with an async __call__
        return await cast("Callable[[str, CancellationToken], Coroutine[Any, Any, str]]", func)(
            prompt, cancellation_token
        )
    return await asyncio.to_thread(cast("SyncInputFunc", func), prompt)


async def _in_thread_of_its_own(func: SyncInputFunc, prompt: str) -> str:
    # A daemon: a pool's thread would keep the process alive for a line that nobody is going to type.
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def resolve(line: str | None, failure: BaseException | None) -> None:
        if read.done():
            return
        if failure is None:
            read.set_result(line or "")
        else:
            read.set_exception(failure)

    def work() -> None:
        line, failure = None, None
        try:
            line = func(prompt)
        except (EOFError, OSError, UnicodeError, RuntimeError) as exc:
            failure = exc
        if not loop.is_closed():
            loop.call_soon_threadsafe(resolve, line, failure)

    threading.Thread(target=work, name="agentopic-input", daemon=True).start()
    return await read
