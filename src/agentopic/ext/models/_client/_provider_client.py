"""`ProviderClient`: all that clients of different providers have in common."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager
from typing import Any, ClassVar, Protocol, Self, TypeVar

from pydantic import BaseModel

from agentopic.core import EVENT_LOGGER_NAME, CancellationToken
from agentopic.core.logging import LLMCallEvent, LLMStreamEndEvent, LLMStreamStartEvent
from agentopic.core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelCapabilities,
    ModelInfo,
    RequestUsage,
)
from agentopic.core.tools import Tool, ToolSchema
from agentopic.errors import CassetteError, ModelTimeoutError, ModelUnavailableError
from agentopic.ext._wire_secrets import conceal_headers
from agentopic.ext.models._client._question import Question, ToolChoice
from agentopic.ext.models._client._repetition import DEFAULT_RETRIES, repeated
from agentopic.ext.models._client._token_estimate import prompt_tokens

T = TypeVar("T")

DEFAULT_TIMEOUT_SECONDS = 30.0

_event_log = logging.getLogger(EVENT_LOGGER_NAME)


class Assembly(Protocol):
    """Collects the events of one stream."""

    def add(self, event: Any) -> Sequence[str]:
        """Take an event in; the pieces it adds to what is shown, none for most other events."""
        ...

    def result(self) -> CreateResult:
        """The whole answer; ModelUnavailableError when the stream ended before the answer did."""
        ...


class ProviderClient(ChatCompletionClient):
    """Asks one model of a provider; a subclass holds only what its provider does differently.

    A failed call is repeated `retries` times with growing pauses, but not inside a durable turn, whose engine
    retries. A call without an answer, or a stream without a new event, for `timeout` seconds fails (None: never).
    Every failure is one of our ModelErrors, whatever the SDK raises.
    """

    component_type = "model"

    _messages_parameter: ClassVar[str] = "messages"
    """The parameter of a request that holds the conversation, for the event log."""

    def __init__(
        self,
        *,
        model: str,
        model_info: ModelInfo,
        retries: int = DEFAULT_RETRIES,
        timeout: float | None = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self._model = model
        self._model_info = model_info
        self._retries = retries
        self._timeout = timeout
        self._total = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(model={self._model!r})"

    @classmethod
    def create_from_config(cls, config: dict[str, Any]) -> Self:
        """A client with these constructor arguments."""
        return cls(**config)

    # ── what a provider does differently ────────────────────────────────────────────────────────────────────

    @abstractmethod
    def _request(self, question: Question, *, stream: bool) -> dict[str, Any]:
        """The parameters of one call.

        Raises:
            ValueError: the provider cannot be asked that.
        """

    @abstractmethod
    async def _ask(self, request: dict[str, Any]) -> Any:
        """Make one call through the SDK."""

    @abstractmethod
    def _read(self, answer: Any) -> CreateResult:
        """Understand what `_ask` returned."""

    @abstractmethod
    def _events(self, request: dict[str, Any]) -> AsyncGenerator[Any, None]:
        """Make one call whose answer is streamed."""

    @abstractmethod
    def _assembly(self) -> Assembly:
        """What collects the events of one stream."""

    @abstractmethod
    def _translated_errors(self) -> AbstractContextManager[None]:
        """Raise our errors in place of the SDK's."""

    # ── the interface ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def step_name(self) -> str:
        """The model's name."""
        return self._model

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: ToolChoice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Ask for one answer; raises as the interface says."""
        question = Question(
            messages=messages, tools=tools, tool_choice=tool_choice, json_output=json_output, extra=extra_create_args
        )
        return await self._answer(question, cancellation_token)

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: ToolChoice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Ask for one answer and give its text as it arrives; raises as the interface says."""
        question = Question(
            messages=messages, tools=tools, tool_choice=tool_choice, json_output=json_output, extra=extra_create_args
        )
        async with aclosing(self._stream(question, cancellation_token)) as items:
            async for item in items:
                yield item

    def actual_usage(self) -> RequestUsage:
        """Tokens of all calls that were made."""
        return RequestUsage(self._total.prompt_tokens, self._total.completion_tokens)

    def total_usage(self) -> RequestUsage:
        """Tokens of all calls that were made."""
        return RequestUsage(self._total.prompt_tokens, self._total.completion_tokens)

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """About how many tokens these messages and tools take in the prompt, rather more than less."""
        return prompt_tokens(messages, tools)

    @property
    def capabilities(self) -> ModelCapabilities:
        """The older form of `model_info`."""
        info = self._model_info
        return ModelCapabilities(
            vision=info["vision"], function_calling=info["function_calling"], json_output=info["json_output"]
        )

    @property
    def model_info(self) -> ModelInfo:
        """What the model can do."""
        return self._model_info

    # ── the shape of a call ─────────────────────────────────────────────────────────────────────────────────

    def _prepared(self, question: Question, *, stream: bool) -> dict[str, Any]:
        conceal_headers(question.extra.get("extra_headers"))
        return self._request(question.fitted(self._model_info), stream=stream)

    async def _answer(self, question: Question, token: CancellationToken | None) -> CreateResult:
        request = self._prepared(question, stream=False)
        answer, result = await self._cancellable(repeated(lambda: self._answered(request), self._retries), token)
        self._count(result.usage)
        if _event_log.isEnabledFor(logging.INFO):
            _event_log.info(
                LLMCallEvent(
                    messages=request[self._messages_parameter],
                    response=answer.model_dump(),
                    prompt_tokens=result.usage.prompt_tokens,
                    completion_tokens=result.usage.completion_tokens,
                )
            )
        return result

    async def _stream(
        self, question: Question, token: CancellationToken | None
    ) -> AsyncGenerator[str | CreateResult, None]:
        request = self._prepared(question, stream=True)
        if _event_log.isEnabledFor(logging.INFO):
            _event_log.info(LLMStreamStartEvent(messages=request[self._messages_parameter]))
        assembly = self._assembly()
        events, event = await self._cancellable(repeated(lambda: self._opened(request), self._retries), token)
        try:
            while event is not None:
                with self._failures():
                    pieces = assembly.add(event)
                for piece in pieces:
                    yield piece
                event = await self._cancellable(self._next(events), token)
        finally:
            await events.aclose()
        result = assembly.result()
        self._count(result.usage)
        if _event_log.isEnabledFor(logging.INFO):
            _event_log.info(
                LLMStreamEndEvent(
                    response=result.model_dump(),
                    prompt_tokens=result.usage.prompt_tokens,
                    completion_tokens=result.usage.completion_tokens,
                )
            )
        yield result

    async def _repeated(self, call: Callable[[], Awaitable[T]]) -> T:
        """One call within its time-out, repeated as far as is allowed here, with our errors."""

        async def once() -> T:
            with self._failures():
                async with asyncio.timeout(self._timeout):
                    return await call()

        return await repeated(once, self._retries)

    async def _answered(self, request: dict[str, Any]) -> tuple[Any, CreateResult]:
        with self._failures():
            async with asyncio.timeout(self._timeout):
                answer = await self._ask(request)
            return answer, self._read(answer)

    async def _opened(self, request: dict[str, Any]) -> tuple[AsyncGenerator[Any, None], Any]:
        events = self._events(request)
        try:
            return events, await self._next(events)
        except BaseException:
            await events.aclose()
            raise

    async def _next(self, events: AsyncGenerator[Any, None]) -> Any:
        with self._failures():
            async with asyncio.timeout(self._timeout):
                return await anext(events, None)

    @staticmethod
    async def _cancellable(work: Coroutine[Any, Any, T], token: CancellationToken | None) -> T:
        if token is None:
            return await work
        future = asyncio.ensure_future(work)
        token.link_future(future)
        try:
            return await future
        finally:
            future.cancel()

    @contextmanager
    def _failures(self) -> Generator[None]:
        try:
            with self._translated_errors():
                yield
        except TimeoutError as exc:
            raise ModelTimeoutError(f"no sign of an answer for {self._timeout} s") from exc
        except ModelUnavailableError as exc:
            _raise_of_cassette(exc)
            raise

    def _count(self, usage: RequestUsage) -> None:
        self._total.prompt_tokens += usage.prompt_tokens
        self._total.completion_tokens += usage.completion_tokens


def seconds_of(timeout: object) -> float | None:
    """A time-out in seconds, where it is one; a structured one is left to the SDK."""
    return float(timeout) if isinstance(timeout, int | float) else None


def _raise_of_cassette(error: BaseException) -> None:
    """SDKs take what a cassette says for a broken connection; asking it again is of no use."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, CassetteError):
            raise cause
        cause = cause.__cause__ or cause.__context__
