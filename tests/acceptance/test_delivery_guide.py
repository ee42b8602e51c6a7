"""What docs/delivery.md says about steps that are met again by a later attempt of the same turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from agentopic import AgentopicError, AgentService, DurableRuntime, RetryLater, payload, step
from agentopic.agentchat.messages import TextMessage
from agentopic.core import AgentId, MessageContext, RoutedAgent, rpc

Effect = Callable[[], Awaitable[Any]]
Attempts = Callable[[Effect], Awaitable[list[Any]]]
"""Runs a handler's body twice, as two attempts of one turn, and returns what each came to."""


@payload("shop.Order.v1")
@dataclass
class Order:
    item: str


@pytest.fixture
async def attempts() -> AsyncIterator[Attempts]:
    runtime = DurableRuntime("memory://", "memory://", partitions=1)
    outcomes: list[Any] = []
    bodies: list[Effect] = []

    class Shop(RoutedAgent):
        def __init__(self) -> None:
            super().__init__("notes what each attempt came to")

        @rpc
        async def on_order(self, message: Order, ctx: MessageContext) -> Order:
            try:
                outcomes.append(await bodies[0]())
            except (ValueError, OSError, AgentopicError) as error:
                outcomes.append(f"{type(error).__name__}: {error}")
            if len(outcomes) < 2:
                raise RetryLater("once more", delay_seconds=0.0)
            return message

    async def run(body: Effect) -> list[Any]:
        bodies.append(body)
        await runtime.send_message(Order("tea"), AgentId("shop", "ann"))
        return outcomes

    await AgentService("shop", Shop, stateless=True).register(runtime)
    async with runtime:
        yield run


async def test_a_result_is_read_and_the_call_not_made_again(attempts: Attempts) -> None:
    calls: list[str] = []

    async def charge() -> int:
        calls.append("charge")
        return len(calls)

    outcomes = await attempts(lambda: step("charge", charge))

    assert (outcomes, calls) == ([1, 1], ["charge"])


@pytest.mark.parametrize("repeatable", [False, True])
async def test_a_failure_is_met_again_and_the_call_not_made_again(attempts: Attempts, repeatable: bool) -> None:
    calls: list[str] = []

    async def charge() -> None:
        calls.append("charge")
        raise ValueError("no money")

    outcomes = await attempts(lambda: step("charge", charge, repeatable=repeatable))

    assert calls == ["charge"]
    assert outcomes[0] == "ValueError: no money"
    assert outcomes[1].startswith("StepFailedError")
    assert "no money" in outcomes[1]


@pytest.mark.parametrize("error", [TimeoutError, ConnectionError])
async def test_after_a_broken_connection_the_outcome_is_unknown(attempts: Attempts, error: type[Exception]) -> None:
    calls: list[str] = []

    async def charge() -> None:
        calls.append("charge")
        raise error("the line is dead")

    outcomes = await attempts(lambda: step("charge", charge))

    assert calls == ["charge"]
    assert outcomes[1].startswith("StepOutcomeUnknownError")


async def test_after_a_broken_connection_a_repeatable_call_is_made_again(attempts: Attempts) -> None:
    calls: list[str] = []

    async def ship() -> str:
        calls.append("ship")
        if len(calls) == 1:
            raise ConnectionError("the line is dead")
        return "shipped"

    outcomes = await attempts(lambda: step("ship", ship, repeatable=True))

    assert outcomes == ["ConnectionError: the line is dead", "shipped"]


async def test_equal_steps_are_told_apart_by_their_number(attempts: Attempts) -> None:
    calls: list[str] = []

    async def draw() -> int:
        calls.append("draw")
        return len(calls)

    async def twice() -> list[int]:
        return [await step("draw", draw), await step("draw", draw)]

    assert await attempts(twice) == [[1, 2], [1, 2]]


async def test_a_step_within_a_step_is_part_of_it(attempts: Attempts) -> None:
    calls: list[str] = []

    async def inner() -> str:
        calls.append("inner")
        return "done"

    async def outer() -> str:
        return await step("inner", inner)

    assert await attempts(lambda: step("outer", outer)) == ["done", "done"]
    assert calls == ["inner"]


async def test_ids_and_times_of_the_turn_are_the_same_on_every_attempt(attempts: Attempts) -> None:
    async def mint() -> tuple[str, Any]:
        message = TextMessage(content="hello", source="shop")
        return message.id, message.created_at

    first, second = await attempts(mint)

    assert first == second
