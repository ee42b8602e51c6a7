"""`McpConnection`: a session with an MCP server that any task may use, and that ends in an error rather than hang."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self, TypeAlias, TypeVar, cast

from mcp import ClientSession, MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT, InitializeResult

from agentopic.concealment import redacted
from agentopic.core import CancellationToken
from agentopic.core._turn import current_turn
from agentopic.errors import McpConnectionError, McpError, McpTimeoutError

T = TypeVar("T")
OpenSession: TypeAlias = Callable[[], AbstractAsyncContextManager[ClientSession]]

_GRACE_SECONDS = 1.0
"""Beyond the session's own time-out, which tells the server that nobody waits any more."""
_CLOSE_SECONDS = 10.0


class McpConnection:
    """Keeps one session open in a task of its own: a session must be closed by the task that opened it."""

    def __init__(self, open_session: OpenSession, *, server: str, start_seconds: float, answer_seconds: float) -> None:
        self._open_session = open_session
        self._server = server
        self._start_seconds = start_seconds
        self._answer_seconds = answer_seconds
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[ClientSession] | None = None
        self._owner: asyncio.Task[None] | None = None
        self._broken = False
        self._initialize = True
        self.initialize_result: InitializeResult | None = None

    @classmethod
    def over(cls, session: ClientSession, *, server: str, answer_seconds: float) -> McpConnection:
        """A connection over a session that somebody else has opened, initialized, and will close."""

        @asynccontextmanager
        async def opened() -> AsyncGenerator[ClientSession]:
            yield session

        connection = cls(opened, server=server, start_seconds=answer_seconds, answer_seconds=answer_seconds)
        connection._initialize = False
        return connection

    @property
    def is_open(self) -> bool:
        """Whether calls can be made; False for good once the server has gone."""
        return self._owner is not None and not self._owner.done() and not self._broken

    async def start(self) -> None:
        """Open the session and agree on a protocol.

        Raises:
            McpConnectionError: the server cannot be started or reached, or is none.
            McpTimeoutError: it does not answer in time.
        """
        self._ready = asyncio.get_running_loop().create_future()
        context = contextvars.copy_context()
        context.run(current_turn.set, None)  # the session outlives the turn that happens to open it
        self._owner = asyncio.create_task(self._own(self._ready), context=context)
        try:
            await asyncio.wait(
                {self._owner, self._ready}, timeout=self._start_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not self._ready.done():
                raise self._start_error(self._owner)
        except BaseException:
            await self.aclose()
            raise

    async def call(
        self,
        request: Callable[[ClientSession], Coroutine[Any, Any, T]],
        cancellation_token: CancellationToken | None = None,
    ) -> T:
        """Make one request of the session.

        Raises:
            McpConnectionError: the server has gone; whether it carried the request out is unknown.
            McpError: the server refuses the request, or its answer breaks the protocol.
            McpTimeoutError: no answer in time.
            asyncio.CancelledError: the token was cancelled.
        """
        if self._ready is None or self._owner is None or not self.is_open:
            raise McpConnectionError(f"the session with MCP server {self._server!r} is not open")
        calling = asyncio.create_task(request(self._ready.result()))
        if cancellation_token is not None:
            cancellation_token.link_future(calling)
        try:
            await asyncio.wait(
                {calling, self._owner},
                timeout=self._answer_seconds + _GRACE_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            return self._result(calling)
        finally:
            calling.add_done_callback(_seen)
            calling.cancel()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the session and what it started; idempotent, and bounded in time."""
        self._closing.set()
        owner, self._owner = self._owner, None
        if owner is None:
            return
        if self._ready is None or not self._ready.done():
            owner.cancel()
        _, pending = await asyncio.wait({owner}, timeout=_CLOSE_SECONDS)
        if pending:
            owner.cancel()
            await asyncio.wait({owner}, timeout=_CLOSE_SECONDS)
        owner.add_done_callback(_seen)

    async def _own(self, ready: asyncio.Future[ClientSession]) -> None:
        async with self._open_session() as session:
            if self._initialize:
                self.initialize_result = await session.initialize()
            ready.set_result(session)
            await self._closing.wait()

    def _start_error(self, owner: asyncio.Task[None]) -> McpConnectionError:
        if not owner.done():
            return McpTimeoutError(f"MCP server {self._server!r} did not start within {self._start_seconds:g} s")
        cause = _innermost(owner.exception())
        if isinstance(cause, MCPError) and cause.error.code == REQUEST_TIMEOUT:
            return McpTimeoutError(f"MCP server {self._server!r} did not start within {self._start_seconds:g} s")
        error = McpConnectionError(redacted(f"MCP server {self._server!r} cannot be used: {cause or 'it ended'}"))
        error.__cause__ = cause
        return error

    def _result(self, calling: asyncio.Task[T]) -> T:
        if not calling.done():
            if self._owner is None or self._owner.done():
                raise McpConnectionError(f"MCP server {self._server!r} has gone")
            self._broken = True  # not even its time-out came through: whoever calls next begins anew
            raise McpTimeoutError(f"MCP server {self._server!r} did not answer within {self._answer_seconds:g} s")
        try:
            return calling.result()
        except MCPError as exc:
            raise self._call_error(exc) from exc
        except (RuntimeError, ValueError, OSError) as exc:
            raise McpError(f"the answer of MCP server {self._server!r} cannot be used: {redacted(str(exc))}") from exc

    def _call_error(self, error: MCPError) -> McpError:
        if error.error.code == REQUEST_TIMEOUT:
            return McpTimeoutError(f"MCP server {self._server!r} did not answer within {self._answer_seconds:g} s")
        if error.error.code == CONNECTION_CLOSED:
            self._broken = True
            return McpConnectionError(f"MCP server {self._server!r} has gone: {redacted(error.error.message)}")
        return McpError(redacted(error.error.message))


def _innermost(error: BaseException | None) -> BaseException | None:
    """What task groups wrap."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _seen(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
