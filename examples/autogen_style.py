"""Code as AutoGen 0.7 users write it; of AutoGen's, only the imports and the line that makes the runtime differ.

AUTOGEN_RUNTIME_TYPE=local python autogen_style.py         # in this process, in memory
python autogen_style.py                                    # durable: a SQLite file, or AGENTOPIC_TRANSPORT
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from agentopic import DurableRuntime, Settings
from agentopic.core import (
    AgentId,
    DefaultTopicId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    default_subscription,
    message_handler,
)


@dataclass
class Number:
    value: int


@default_subscription
class Calculator(RoutedAgent):
    def __init__(self, calculate: Callable[[int], int]) -> None:
        super().__init__("calculates the next number")
        self._calculate = calculate

    @message_handler
    async def on_number(self, message: Number, ctx: MessageContext) -> None:
        await self.publish_message(Number(self._calculate(message.value)), DefaultTopicId())


@default_subscription
class Judge(RoutedAgent):
    def __init__(self, is_over: Callable[[int], bool]) -> None:
        super().__init__("says when it is over")
        self._is_over = is_over

    @message_handler
    async def on_number(self, message: Number, ctx: MessageContext) -> None:
        print(message.value)
        if not self._is_over(message.value):
            await self.publish_message(message, DefaultTopicId())


async def main() -> None:
    runtime = SingleThreadedAgentRuntime() if Settings().runtime_type == "local" else DurableRuntime()
    await Calculator.register(runtime, "calculator", lambda: Calculator(lambda n: 3 * n + 1 if n % 2 else n // 2))
    await Judge.register(runtime, "judge", lambda: Judge(lambda n: n == 1))
    starting = runtime.start()
    if starting is not None:  # starting the durable runtime is awaited, as starting AutoGen's gRPC runtime is
        await starting
    await runtime.send_message(Number(6), AgentId("judge", "default"))
    await runtime.stop_when_idle()


if __name__ == "__main__":
    asyncio.run(main())
