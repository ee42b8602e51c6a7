"""`SequentialRoutedAgent`: an agent that handles some of its messages one at a time, in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from agentopic.core import MessageContext, RoutedAgent


class SequentialRoutedAgent(RoutedAgent):
    """Handles messages of `sequential_message_types` one after the other; all others at once."""

    def __init__(self, description: str, sequential_message_types: Sequence[type[Any]]) -> None:
        super().__init__(description)
        self._sequential_message_types = frozenset(sequential_message_types)
        self._one_at_a_time = asyncio.Lock()

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any | None:
        """Handle the message, where its class says so after those that came before."""
        if type(message) not in self._sequential_message_types:
            return await super().on_message_impl(message, ctx)
        async with self._one_at_a_time:
            return await super().on_message_impl(message, ctx)
