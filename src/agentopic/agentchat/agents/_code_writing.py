"""How a code executor with a model comes to its answer: write code, run it, write it anew, report."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import ValidationError

from agentopic.agentchat.agents._code_executor_config import RetryDecision
from agentopic.agentchat.agents._code_running import code_blocks_of
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    CodeExecutionEvent,
    CodeGenerationEvent,
    ModelClientStreamingChunkEvent,
    TextMessage,
    ThoughtEvent,
)
from agentopic.agentchat.utils import remove_images
from agentopic.core import CancellationToken
from agentopic.core.code_executor import CodeBlock, CodeResult
from agentopic.core.model_context import ChatCompletionContext
from agentopic.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from agentopic.errors import ModelError

Item: TypeAlias = BaseAgentEvent | BaseChatMessage | Response
RunCode: TypeAlias = Callable[[list[CodeBlock], CancellationToken], Awaitable[CodeResult]]


@dataclass(slots=True, kw_only=True)
class CodeWriting:
    """One answer in the making; iterate over `items` once. Everything said and run goes into the model context."""

    name: str
    model_client: ChatCompletionClient
    model_context: ChatCompletionContext
    system_messages: Sequence[SystemMessage]
    stream: bool
    tries: int
    languages: Sequence[str]
    run: RunCode
    cancellation_token: CancellationToken
    _result: CreateResult | None = None
    _thoughts: list[BaseAgentEvent | BaseChatMessage] = field(default_factory=list[BaseAgentEvent | BaseChatMessage])

    async def items(self) -> AsyncGenerator[Item, None]:
        """Events as they happen, then the Response.

        Raises:
            ModelError: the model gave no usable answer.
        """
        for attempt in range(self.tries):
            async with aclosing(self._ask()) as asked:
                async for item in asked:
                    yield item
            blocks = code_blocks_of(self._text(), self.languages)
            if not blocks:
                yield self._respond()
                return
            yield self._generated(attempt, self._text(), blocks)
            result = await self.run(blocks, self.cancellation_token)
            await self.model_context.add_message(UserMessage(content=result.output, source=self.name))
            yield CodeExecutionEvent(retry_attempt=attempt, result=result, source=self.name)
            if result.exit_code == 0 or attempt == self.tries - 1:
                break
            decision = await self._retry_decision(result)
            if not decision.retry:
                break
            proposal = f"Attempt number: {attempt + 1}\nProposed correction: {decision.reason}"
            yield CodeGenerationEvent(retry_attempt=attempt, content=proposal, code_blocks=[], source=self.name)
        async with aclosing(self._ask()) as asked:
            async for item in asked:
                yield item
        yield self._respond()

    async def _ask(self) -> AsyncGenerator[Item, None]:
        messages = await self._messages(self.system_messages)
        if self.stream:
            chunks = self.model_client.create_stream(messages, tools=[], cancellation_token=self.cancellation_token)
            async with aclosing(chunks):
                async for chunk in chunks:
                    if isinstance(chunk, CreateResult):
                        self._result = chunk
                    else:
                        yield ModelClientStreamingChunkEvent(content=chunk, source=self.name)
        else:
            self._result = await self.model_client.create(
                messages, tools=[], cancellation_token=self.cancellation_token
            )
        thought = self._result.thought if self._result else None
        if thought:
            event = ThoughtEvent(content=thought, source=self.name)
            self._thoughts.append(event)
            yield event
        await self.model_context.add_message(AssistantMessage(content=self._text(), source=self.name, thought=thought))

    async def _messages(self, before: Sequence[LLMMessage], *after: LLMMessage) -> list[LLMMessage]:
        messages = [*before, *await self.model_context.get_messages(), *after]
        return messages if self.model_client.model_info["vision"] else remove_images(messages)

    async def _retry_decision(self, result: CodeResult) -> RetryDecision:
        question = (
            f"The code you wrote has failed:\n{result.output}\n\nShall it be written anew? Give 'retry' (true or "
            "false) and 'reason': what went wrong, whether another try is worth it, what it would do differently."
        )
        messages = await self._messages((), UserMessage(content=question, source=self.name))
        answer = await self.model_client.create(
            messages, json_output=RetryDecision, cancellation_token=self.cancellation_token
        )
        try:
            return RetryDecision.model_validate_json(answer.content if isinstance(answer.content, str) else "")
        except ValidationError as exc:
            raise ModelError(f"the model of {self.name!r} did not say whether to write the code anew: {exc}") from exc

    def _text(self) -> str:
        if self._result is None:
            raise ModelError(f"the model client of {self.name!r} ended its stream without a CreateResult")
        if not isinstance(self._result.content, str):
            raise ModelError(f"the model of {self.name!r} called tools where it has none")
        return self._result.content

    def _generated(self, attempt: int, content: str, blocks: list[CodeBlock]) -> CodeGenerationEvent:
        usage = self._result.usage if self._result else None
        return CodeGenerationEvent(
            retry_attempt=attempt, content=content, code_blocks=blocks, source=self.name, models_usage=usage
        )

    def _respond(self) -> Response:
        usage = self._result.usage if self._result else None
        message = TextMessage(content=self._text(), source=self.name, models_usage=usage)
        return Response(chat_message=message, inner_messages=self._thoughts)
