"""`message_handler`, `event` and `rpc`: the decorators that make methods handlers of messages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Final, Literal, Protocol, TypeVar, cast, overload

from agentopic.core._declared_types import handler_types
from agentopic.core._logger_names import ROOT_LOGGER_NAME
from agentopic.core._message_context import MessageContext
from agentopic.errors import CantHandleError, HandlerContractError

AgentT_contra = TypeVar("AgentT_contra", contravariant=True)
ReceivesT_contra = TypeVar("ReceivesT_contra", contravariant=True)
ProducesT_co = TypeVar("ProducesT_co", covariant=True)

AnyAgentT = TypeVar("AnyAgentT")
MessageT = TypeVar("MessageT")
AnswerT = TypeVar("AnswerT")

_Handles = Literal["any", "event", "rpc"]

_logger: Final = logging.getLogger(ROOT_LOGGER_NAME)


class MessageHandler(Protocol[AgentT_contra, ReceivesT_contra, ProducesT_co]):
    """A method that was made a handler."""

    target_types: list[type[Any]]
    """The classes of messages it takes."""
    produces_types: list[type[Any]]
    """The classes of answers it gives."""
    is_message_handler: Literal[True]
    router: Callable[[Any, MessageContext], bool]
    """Whether it wants this message of a fitting class."""

    @staticmethod
    async def __call__(agent_instance: AgentT_contra, message: ReceivesT_contra, ctx: MessageContext) -> ProducesT_co:
        """Handle one message."""
        ...


@overload
def message_handler(
    func: Callable[[AnyAgentT, MessageT, MessageContext], Coroutine[Any, Any, AnswerT]],
) -> MessageHandler[AnyAgentT, MessageT, AnswerT]: ...
@overload
def message_handler(
    func: None = None, *, strict: bool = True, match: Callable[[Any, MessageContext], bool] | None = None
) -> Callable[
    [Callable[[AnyAgentT, MessageT, MessageContext], Coroutine[Any, Any, AnswerT]]],
    MessageHandler[AnyAgentT, MessageT, AnswerT],
]: ...
def message_handler(
    func: Callable[..., Coroutine[Any, Any, Any]] | None = None,
    *,
    strict: bool = True,
    match: Callable[[Any, MessageContext], bool] | None = None,
) -> Any:
    """Make a method handle messages, sent or published, of the class `message` is annotated with.

    Args:
        func: the method, `async def name(self, message: M, ctx: MessageContext) -> R`; M and R may be unions.
        strict: raise when the message or the answer is of another class than annotated; else log a warning.
        match: a second condition, asked with the message and its context.

    Raises:
        RegistrationError: the method's signature does not fit.
    """
    return _decorate(func, "any", strict, match)


@overload
def event(
    func: Callable[[AnyAgentT, MessageT, MessageContext], Coroutine[Any, Any, None]],
) -> MessageHandler[AnyAgentT, MessageT, None]: ...
@overload
def event(
    func: None = None, *, strict: bool = True, match: Callable[[Any, MessageContext], bool] | None = None
) -> Callable[
    [Callable[[AnyAgentT, MessageT, MessageContext], Coroutine[Any, Any, None]]],
    MessageHandler[AnyAgentT, MessageT, None],
]: ...
def event(
    func: Callable[..., Coroutine[Any, Any, Any]] | None = None,
    *,
    strict: bool = True,
    match: Callable[[Any, MessageContext], bool] | None = None,
) -> Any:
    """Make a method handle published messages only; it returns None. Arguments as for `message_handler`."""
    return _decorate(func, "event", strict, match)


@overload
def rpc(
    func: Callable[[AnyAgentT, MessageT, MessageContext], Coroutine[Any, Any, AnswerT]],
) -> MessageHandler[AnyAgentT, MessageT, AnswerT]: ...
@overload
def rpc(
    func: None = None, *, strict: bool = True, match: Callable[[Any, MessageContext], bool] | None = None
) -> Callable[
    [Callable[[AnyAgentT, MessageT, MessageContext], Coroutine[Any, Any, AnswerT]]],
    MessageHandler[AnyAgentT, MessageT, AnswerT],
]: ...
def rpc(
    func: Callable[..., Coroutine[Any, Any, Any]] | None = None,
    *,
    strict: bool = True,
    match: Callable[[Any, MessageContext], bool] | None = None,
) -> Any:
    """Make a method handle messages whose sender waits for an answer. Arguments as for `message_handler`."""
    return _decorate(func, "rpc", strict, match)


def _decorate(
    func: Callable[..., Coroutine[Any, Any, Any]] | None,
    handles: _Handles,
    strict: bool,
    match: Callable[[Any, MessageContext], bool] | None,
) -> Any:
    def decorator(method: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
        return _as_handler(method, handles, strict, match)

    return decorator if func is None else decorator(func)


def _as_handler(
    method: Callable[..., Coroutine[Any, Any, Any]],
    handles: _Handles,
    strict: bool,
    match: Callable[[Any, MessageContext], bool] | None,
) -> Any:
    targets, declared = handler_types(method)
    answers = (type(None),) if handles == "event" else declared
    any_answer = Any in answers

    @wraps(method)
    async def handler(self: Any, message: Any, ctx: MessageContext) -> Any:
        if type(message) not in targets:
            refused = f"Message type {type(message)} not in target types {targets} of {method.__qualname__}"
            _complain(CantHandleError(refused), strict)
        answer = await method(self, message, ctx)
        if not any_answer and type(answer) not in answers:
            wrong = f"Return type {type(answer)} not in return types {answers} of {method.__qualname__}"
            _complain(HandlerContractError(wrong), strict)
        return None if handles == "event" else answer

    made = cast("Any", handler)
    made.target_types = list(targets)
    made.produces_types = list(answers)
    made.is_message_handler = True
    made.router = _router(handles, match)
    return made


def _router(
    handles: _Handles, match: Callable[[Any, MessageContext], bool] | None
) -> Callable[[Any, MessageContext], bool]:
    if handles == "any":
        return match or (lambda _message, _ctx: True)
    wants_rpc = handles == "rpc"
    if match is None:
        return lambda _message, ctx: ctx.is_rpc is wants_rpc
    return lambda message, ctx: ctx.is_rpc is wants_rpc and match(message, ctx)


def _complain(error: Exception, strict: bool) -> None:
    if strict:
        raise error
    _logger.warning("%s", error)
