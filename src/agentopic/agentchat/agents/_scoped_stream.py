"""Runs a stream at a place of its own in the durable turn."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from agentopic.core._turn import step_path

T = TypeVar("T")


async def scoped(name: str, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield the stream's items; the steps it takes have keys of their own."""
    async with aclosing(stream):
        while True:
            with step_path(name):  # entered for each item: what the consumer does meanwhile is not in it
                item = await anext(stream, None)
            if item is None:
                return
            yield item
