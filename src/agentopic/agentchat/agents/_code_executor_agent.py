"""`CodeExecutorAgent`: runs code, that of others or what its own model writes."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Self

from agentopic.agentchat.agents._base_chat_agent import BaseChatAgent
from agentopic.agentchat.agents._code_executor_config import ApprovalFuncType, CodeExecutorAgentConfig
from agentopic.agentchat.agents._code_running import approve_code, code_blocks_of, run_code
from agentopic.agentchat.agents._code_writing import CodeWriting
from agentopic.agentchat.agents._remembering import remember
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from agentopic.agentchat.state import AssistantAgentState
from agentopic.core import CancellationToken, Component
from agentopic.core.code_executor import CodeBlock, CodeExecutor, CodeResult
from agentopic.core.model_context import ChatCompletionContext, UnboundedChatCompletionContext
from agentopic.core.models import ChatCompletionClient, SystemMessage
from agentopic.errors import AgentopicError, ComponentError

_FENCES = "in fenced Markdown blocks, ```python for Python and ```sh for shell scripts"


class CodeExecutorAgent(BaseChatAgent, Component[CodeExecutorAgentConfig]):
    """Without a model it runs the code in the messages it is given; with one it writes code, runs it and reports.

    Code that fails is written anew up to `max_retries_on_error` times, as long as the model wants to. `sources`
    limits whose messages code is taken from. `approval_func` is asked before any code runs.

    Raises:
        ValueError: retries are asked for without a model that gives structured output.
    """

    DEFAULT_TERMINAL_DESCRIPTION: ClassVar[str] = f"A terminal that only runs the code it is given {_FENCES}."
    DEFAULT_AGENT_DESCRIPTION: ClassVar[str] = (
        "An agent that writes Python code and shell scripts for a task, runs them and reports what came of it."
    )
    DEFAULT_SYSTEM_MESSAGE: ClassVar[str] = (
        "You solve tasks by writing code that is then run for you. Write correct, efficient code that handles edge "
        f"cases, {_FENCES}."
    )
    NO_CODE_BLOCKS_FOUND_MESSAGE: ClassVar[str] = (
        f"No code blocks found in the thread. Give at least one code block, {_FENCES}."
    )
    DEFAULT_SUPPORTED_LANGUAGES: ClassVar[list[str]] = ["python", "sh"]

    component_config_schema = CodeExecutorAgentConfig
    component_provider_override = "autogen_agentchat.agents.CodeExecutorAgent"

    def __init__(
        self,
        name: str,
        code_executor: CodeExecutor,
        *,
        model_client: ChatCompletionClient | None = None,
        model_context: ChatCompletionContext | None = None,
        model_client_stream: bool = False,
        max_retries_on_error: int = 0,
        description: str | None = None,
        system_message: str | None = DEFAULT_SYSTEM_MESSAGE,
        sources: Sequence[str] | None = None,
        supported_languages: list[str] | None = None,
        approval_func: ApprovalFuncType | None = None,
    ) -> None:
        default = self.DEFAULT_TERMINAL_DESCRIPTION if model_client is None else self.DEFAULT_AGENT_DESCRIPTION
        super().__init__(name=name, description=default if description is None else description)
        if approval_func is None:
            warnings.warn(
                f"code executor {name!r} has no approval_func: code is run without anybody looking at it",
                UserWarning,
                stacklevel=2,
            )
        _check_retries(model_client, max_retries_on_error)
        self._code_executor = code_executor
        self._model_client = model_client
        self._model_context = model_context or UnboundedChatCompletionContext()
        self._stream = model_client_stream
        self._max_retries_on_error = max_retries_on_error
        self._system_messages = [] if system_message is None else [SystemMessage(content=system_message)]
        self._sources = sources
        self._languages = self.DEFAULT_SUPPORTED_LANGUAGES if supported_languages is None else supported_languages
        self._approval_func = approval_func

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Text."""
        return (TextMessage,)

    @property
    def model_context(self) -> ChatCompletionContext:
        """The conversation as the model is told it."""
        return self._model_context

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Answer new messages; raises as `on_messages_stream`."""
        items = [item async for item in self.on_messages_stream(messages, cancellation_token)]
        response = items[-1]
        if not isinstance(response, Response):
            raise AgentopicError(f"agent {self.name!r} ended its stream without a Response")
        return response

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Run the code of the messages, or write code for them, run it and report.

        Raises:
            ModelError: the model gave no usable answer.
        """
        if self._model_client is None:
            yield Response(chat_message=await self._run_given(messages, cancellation_token))
            return
        await remember(messages, self._model_context)
        writing = CodeWriting(
            name=self.name,
            model_client=self._model_client,
            model_context=self._model_context,
            system_messages=self._system_messages,
            stream=self._stream,
            tries=self._max_retries_on_error + 1,
            languages=self._languages,
            run=self.execute_code_block,
            cancellation_token=cancellation_token,
        )
        async with aclosing(writing.items()) as items:
            async for item in items:
                yield item

    async def extract_code_blocks_from_messages(self, messages: Sequence[BaseChatMessage]) -> list[CodeBlock]:
        """The code blocks in the texts of the sources that count, in order."""
        return [
            block
            for message in messages
            if isinstance(message, TextMessage) and (self._sources is None or message.source in self._sources)
            for block in code_blocks_of(message.content, self._languages)
        ]

    async def execute_code_block(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CodeResult:
        """Run the blocks if they are approved; refused code is a result with exit code 1 and the reason."""
        if self._approval_func is not None:
            context = await self._model_context.get_messages()
            response = await approve_code(self.name, self._approval_func, code_blocks, context)
            if not response.approved:
                return CodeResult(exit_code=1, output=f"Code execution was not approved. Reason: {response.reason}")
        return await run_code(self.name, self._code_executor, code_blocks, cancellation_token)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Forget the conversation, which AutoGen keeps."""
        await self._model_context.clear()

    async def save_state(self) -> Mapping[str, Any]:
        """The conversation, which AutoGen leaves out."""
        return AssistantAgentState(
            type="CodeExecutorAgentState", llm_context=await self._model_context.save_state()
        ).model_dump()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a saved conversation; a state of AutoGen's holds none."""
        saved = AssistantAgentState.model_validate(state)
        if "llm_context" in saved.model_fields_set:
            await self._model_context.load_state(saved.llm_context)

    async def _run_given(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> TextMessage:
        blocks = await self.extract_code_blocks_from_messages(messages)
        if not blocks:
            return TextMessage(content=self.NO_CODE_BLOCKS_FOUND_MESSAGE, source=self.name)
        result = await self.execute_code_block(blocks, cancellation_token)
        return TextMessage(content=result.output, source=self.name)

    def _to_config(self) -> CodeExecutorAgentConfig:
        if self._approval_func is not None:
            raise ComponentError("an agent with an approval_func cannot be written as JSON: the function is code")
        return CodeExecutorAgentConfig(
            name=self.name,
            model_client=self._model_client.dump_component() if self._model_client else None,
            code_executor=self._code_executor.dump_component(),
            description=self.description,
            sources=None if self._sources is None else list(self._sources),
            system_message=self._system_messages[0].content if self._system_messages else None,
            model_client_stream=self._stream,
            model_context=self._model_context.dump_component(),
            supported_languages=self._languages,
        )

    @classmethod
    def _from_config(cls, config: CodeExecutorAgentConfig) -> Self:
        client, context = config.model_client, config.model_context
        return cls(
            name=config.name,
            model_client=ChatCompletionClient.load_component(client) if client else None,
            code_executor=CodeExecutor.load_component(config.code_executor),
            description=config.description,
            sources=config.sources,
            system_message=config.system_message,
            model_client_stream=config.model_client_stream,
            model_context=ChatCompletionContext.load_component(context) if context else None,
            supported_languages=config.supported_languages,
        )


def _check_retries(model_client: ChatCompletionClient | None, max_retries_on_error: int) -> None:
    if max_retries_on_error <= 0:
        return
    if model_client is None:
        raise ValueError("max_retries_on_error needs a model_client that writes the code")
    if not model_client.model_info["structured_output"]:
        raise ValueError("max_retries_on_error needs a model that gives structured output")
