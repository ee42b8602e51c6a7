"""A step whose work is a stream: the items pass through live, one ends it and is the recorded result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from agentopic.core._turn import RESTART, StepSpec, TurnScope
from agentopic.errors import AgentopicError

_END = object()

_is_shown: ContextVar[bool] = ContextVar("agentopic_stream_is_shown", default=False)
"""Whether this task is the inside of a stream whose items are shown already."""


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """The only item of a stream whose step was recorded by an earlier attempt."""

    result: Any


async def stream_step(
    turn: TurnScope,
    spec: StepSpec[Any],
    open_stream: Callable[[str], AsyncGenerator[Any, None]],
    is_result: Callable[[Any], bool],
) -> AsyncGenerator[Any, None]:
    """Run `open_stream` as one step of `turn` and yield its items as they come.

    Items are also shown as previews of the turn, unless the stream feeds another one that is. The item that is the
    result ends the stream and is yielded only after it has been recorded. If the step was recorded before, the stream
    is never opened and a single ReplayedStep is yielded. Closing this generator cancels the step and waits for its
    end.
    """
    live: asyncio.Queue[Any] = asyncio.Queue()
    opened = False
    feeds_another = _is_shown.get()

    def preview(item: Any) -> None:
        if not feeds_another:
            turn.preview(spec, item)

    def show(item: Any) -> None:
        live.put_nowait(item)
        preview(item)

    async def run(idempotency_key: str) -> Any:
        nonlocal opened
        if opened:
            preview(RESTART)
        opened = True
        _is_shown.set(True)
        async with aclosing(open_stream(idempotency_key)) as stream:
            return await _forward(stream, show, is_result)

    step = asyncio.create_task(turn.step(spec, run))
    step.add_done_callback(lambda _done: live.put_nowait(_END))
    try:
        while (item := await live.get()) is not _END:
            yield item
        result = step.result()
        yield result if opened else ReplayedStep(result)
    finally:
        await _end(step)


async def _forward(
    stream: AsyncGenerator[Any, None], show: Callable[[Any], None], is_result: Callable[[Any], bool]
) -> Any:
    async for item in stream:
        if is_result(item):
            return item
        show(item)
    raise AgentopicError("a stream ended without its result")


async def _end(step: asyncio.Task[Any]) -> None:
    if step.done():
        return
    step.cancel()
    await asyncio.wait([step])
    if not step.cancelled():
        step.exception()  # seen; whoever closed the stream no longer waits for it
