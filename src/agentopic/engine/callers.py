"""Callers: requests of code outside of any turn, written down first so that asking again after a crash is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from agentopic.core import AgentId, CancellationToken
from agentopic.engine.control_client import ControlClient
from agentopic.engine.faults import fault_error
from agentopic.engine.options import EngineOptions
from agentopic.engine.requests import Asking, Requests
from agentopic.engine.writer import Writer
from agentopic.envelope import Envelope, json
from agentopic.envelope.timestamp import format_time
from agentopic.errors import (
    ExpiredError,
    JournalUnavailableError,
    ProcessBuriedError,
    RequestCancelledError,
    RequestTimeoutError,
    TransportError,
)
from agentopic.ports.journal import Outcome, RequestRow
from agentopic.telemetry.loggers import get_logger

T = TypeVar("T")

log = get_logger(__name__)

LOOK_SECONDS = 0.2
JOURNAL_SECONDS = 10.0
"""How long a caller waits for the journal before it is told that it is away."""


class Callers:
    """Asks on behalf of scripts, the gateway, the bridge.

    When this process is joined to the mesh, a request is stored before it is sent and its end when it comes: asked
    again with the same id, it returns the stored answer or waits on. A pure client, without journal, keeps its
    requests in memory.

    No wall clock of a caller says when its request expires: the journal's does, where the request is stored. What a
    pure client asks has no expiry; when the client has waited long enough it has the request cancelled.
    """

    def __init__(
        self,
        requests: Requests,
        control: ControlClient,
        options: EngineOptions,
        *,
        writer: Callable[[], Writer | None],
    ) -> None:
        self._requests, self._control, self._options = requests, control, options
        self._writer = writer
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(
        self, request: Envelope, recipient: AgentId, *, timeout_seconds: float | None, token: CancellationToken | None
    ) -> Envelope:
        """Send a request and return the reply or fault as it came.

        Raises:
            MissingTopicError: no service of that agent type has ever been there.
            RequestTimeoutError: no answer came in time.
            RequestCancelledError: it was asked before, and cancelled.
            TransportError: the broker does not answer.
            JournalUnavailableError: the journal does not answer.
            asyncio.CancelledError: the token was cancelled; the callee is told.
        """
        request_id = request.agrequestid or request.id
        row = await self._open(request_id, recipient, timeout_seconds)
        if row is not None:
            if row.outcome is not None:
                return _stored(row, recipient)
            timeout_seconds = None if row.remaining_seconds is None else max(0.0, row.remaining_seconds)
            if row.due_ms is not None and request.expirytime is None:
                request = request.with_extensions(expirytime=format_time(_instant(row.due_ms)))
        try:
            answer = await self._asked(request, recipient, timeout_seconds, token)
        except RequestTimeoutError:
            if request.expirytime is None:
                self._later(self._cancel(request, recipient, "expired"))
            else:
                self._later(self._close(request_id, "expired", None))
            raise
        self._later(self._close(request_id, _outcome(answer), answer))
        return answer

    async def _asked(
        self, request: Envelope, recipient: AgentId, timeout_seconds: float | None, token: CancellationToken | None
    ) -> Envelope:
        asking = asyncio.ensure_future(
            self._requests.ask(Asking(request=request, recipient=recipient, timeout_seconds=timeout_seconds))
        )
        if token is not None:
            token.link_future(asking)
        try:
            return await asking
        except asyncio.CancelledError:
            if token is not None and token.is_cancelled():
                self._later(self._cancel(request, recipient, "cancelled"))
            raise

    async def _cancel(self, request: Envelope, recipient: AgentId, outcome: Outcome) -> None:
        """Tell the callee that nobody waits any more; the caller has been told already."""
        await self._close(request.agrequestid or request.id, outcome, None)
        try:
            await self._control.cancel_request(recipient, request)
        except TransportError as exc:
            log.warning("a callee could not be told of a cancellation", callee=str(recipient), error=str(exc))

    # ── the record ─────────────────────────────────────────────────────────────────────────────────────────

    async def _open(self, request_id: str, recipient: AgentId, seconds: float | None) -> RequestRow | None:
        writer = self._writer()
        if writer is None:
            return None
        target = str(recipient)
        try:
            return await _timely(writer, lambda: writer.journal.open_request(writer.me, request_id, target, seconds))
        except ProcessBuriedError:
            # Between two incarnations: asked without a record, its answer is with the callee all the same.
            return None

    async def _close(self, request_id: str, outcome: Outcome, answer: Envelope | None) -> None:
        writer = self._writer()
        if writer is None:
            return
        value, keep = None if answer is None else json.dumps(answer), self._options.dedup_seconds
        try:
            await _timely(writer, lambda: writer.journal.close_request(writer.me, request_id, outcome, value, keep))
        except (JournalUnavailableError, ProcessBuriedError) as exc:
            log.warning("the end of a request was not written down", request=request_id, error=str(exc))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Wait until the ends of requests are written down, unless the journal is away."""
        while self._tasks:
            await asyncio.wait(self._tasks, timeout=LOOK_SECONDS)
            writer = self._writer()
            if writer is None or not writer.available:
                for task in self._tasks:
                    task.cancel()


async def _timely(writer: Writer, call: Callable[[], Awaitable[T]]) -> T:
    """Make a journal call for somebody who cannot wait until the journal is back.

    Raises:
        JournalUnavailableError: it is away; the call may still be made.
    """
    if not writer.available:
        raise JournalUnavailableError("the journal does not answer")
    try:
        async with asyncio.timeout(JOURNAL_SECONDS):
            return await writer.call(call)
    except TimeoutError as exc:
        raise JournalUnavailableError(f"the journal did not answer within {JOURNAL_SECONDS:g} s") from exc


def _stored(row: RequestRow, recipient: AgentId) -> Envelope:
    if row.value is not None:
        return json.loads(row.value, max_bytes=1 << 30)
    if row.outcome == "cancelled":
        raise RequestCancelledError(f"the request to {recipient} was cancelled when it was asked before")
    raise RequestTimeoutError(f"{recipient} did not answer before the deadline of this request")


def _instant(millis: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millis)


def _outcome(answer: Envelope) -> Outcome:
    error = fault_error(answer)
    if error is None:
        return "done"
    if isinstance(error, ExpiredError):
        return "expired"
    return "cancelled" if isinstance(error, RequestCancelledError) else "dead"
