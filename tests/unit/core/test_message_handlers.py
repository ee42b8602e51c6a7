"""Handlers: how signatures are read and messages routed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from agentopic.core import (
    ROOT_LOGGER_NAME,
    CancellationToken,
    MessageContext,
    RoutedAgent,
    event,
    message_handler,
    rpc,
)
from agentopic.errors import CantHandleError, HandlerContractError, RegistrationError


@dataclass
class First:
    text: str = ""


@dataclass
class Second:
    text: str = ""


class Base(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("base")
        self.calls: list[str] = []

    @message_handler
    async def on_first(self, message: First, ctx: MessageContext) -> str | None:
        self.calls.append("base on_first")
        return "first" if message.text else None

    @rpc
    async def on_second(self, message: Second, ctx: MessageContext) -> int:
        self.calls.append("base on_second")
        return len(message.text)


class Derived(Base):
    @message_handler(match=lambda message, ctx: message.text == "mine")
    async def a_first(self, message: First, ctx: MessageContext) -> str | None:
        self.calls.append("derived a_first")
        return None

    @event
    async def on_second(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, message: Second, ctx: MessageContext
    ) -> None:
        self.calls.append("derived on_second")


class Loose(RoutedAgent):
    @rpc(strict=False)
    async def on_first(self, message: First | Second, ctx: MessageContext) -> int:
        return message.text  # pyright: ignore[reportReturnType]


def context(*, is_rpc: bool = True) -> MessageContext:
    return MessageContext(None, None, is_rpc, CancellationToken(), "id")


async def test_a_handler_inherited_and_one_overridden_are_found() -> None:
    agent = Derived()

    await agent.on_message(First("x"), context())
    await agent.on_message(First("mine"), context())
    await agent.on_message(Second(), context(is_rpc=False))

    assert agent.calls == ["base on_first", "derived a_first", "derived on_second"]


async def test_a_message_nobody_wants_is_unhandled() -> None:
    agent = Derived()

    answer = await agent.on_message(Second(), context(is_rpc=True))

    assert (answer, agent.calls) == (None, [])


async def test_a_class_derived_after_its_base_was_used_has_its_own_handlers() -> None:
    Base()

    class Later(Base):
        @message_handler
        async def on_first(  # pyright: ignore[reportIncompatibleVariableOverride]
            self, message: First, ctx: MessageContext
        ) -> str:
            return "later"

    assert await Later().on_message(First("x"), context()) == "later"


async def test_a_handler_given_another_class_refuses_it() -> None:
    with pytest.raises(CantHandleError, match="Second"):
        await Base().on_first(Second(), context())  # pyright: ignore[reportCallIssue, reportArgumentType]


async def test_an_undeclared_answer_is_an_error_or_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    class Strict(RoutedAgent):
        @rpc
        async def on_first(self, message: First, ctx: MessageContext) -> int:
            return "text"  # pyright: ignore[reportReturnType]

    with pytest.raises(HandlerContractError, match="Return type"):
        await Strict("strict").on_message(First(), context())
    with caplog.at_level(logging.WARNING, ROOT_LOGGER_NAME):
        answer = await Loose("loose").on_message(Second("x"), context())

    assert answer == "x"
    assert "Return type" in caplog.text


async def no_annotation(self: Any, message, ctx: MessageContext) -> None: ...
async def no_return(self: Any, message: First, ctx: MessageContext): ...
async def other_name(self: Any, msg: First, ctx: MessageContext) -> None: ...
def not_async(self: Any, message: First, ctx: MessageContext) -> None: ...
async def unresolved(self: Any, message: First, ctx: MessageContext) -> None: ...


unresolved.__annotations__["message"] = "Nowhere"


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        (no_annotation, "named 'message'"),
        (no_return, "return annotation"),
        (other_name, "named 'message'"),
        (not_async, "async function"),
        (unresolved, "Nowhere"),
    ],
)
@pytest.mark.parametrize("decorator", [message_handler, event, rpc])
def test_a_signature_that_does_not_fit_is_refused_where_it_is_written(
    method: Any, problem: str, decorator: Callable[..., Any]
) -> None:
    with pytest.raises(RegistrationError, match=problem):
        decorator(method)
