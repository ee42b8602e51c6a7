"""`UserProxyAgent`: a person among agents."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar, Self

from pydantic import BaseModel

from agentopic.agentchat.agents._base_chat_agent import BaseChatAgent
from agentopic.agentchat.agents._user_input import InputFuncType, call_input_func, terminal_input
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    TextMessage,
    UserInputRequestedEvent,
)
from agentopic.core import CancellationToken, Component
from agentopic.core._turn import ask, current_turn, mint_id
from agentopic.errors import AgentopicError, ContextError, UserInputError


class UserProxyAgentConfig(BaseModel):
    """Config of UserProxyAgent; its input function is code and left out."""

    name: str
    description: str = "A human user"
    input_func: str | None = None


class UserProxyAgent(BaseChatAgent, Component[UserProxyAgentConfig]):
    """Passes a person's answer on; a handoff to the person is answered by a handoff back.

    The person is asked by `input_func`: `(prompt) -> str`, called in a thread, or async `(prompt, token) -> str`.
    Without one, the question waits in the durable inbox if the agent runs in a durable turn, whatever is restarted
    meanwhile and without a time-out; elsewhere the terminal is read. Before it asks, the agent shows a
    UserInputRequestedEvent.
    """

    component_type = "agent"
    component_provider_override = "autogen_agentchat.agents.UserProxyAgent"
    component_config_schema = UserProxyAgentConfig

    class InputRequestContext:
        """Tells an input function which request it is asked for; never instantiated."""

        _request_id: ClassVar[ContextVar[str]] = ContextVar("agentopic_input_request")

        def __init__(self) -> None:
            raise ContextError("InputRequestContext is used by its class methods only")

        @classmethod
        @contextmanager
        def populate_context(cls, ctx: str) -> Generator[None]:
            """Have `request_id` return this id in the enclosed block."""
            token = cls._request_id.set(ctx)
            try:
                yield
            finally:
                cls._request_id.reset(token)

        @classmethod
        def request_id(cls) -> str:
            """The id that the UserInputRequestedEvent carries; ContextError outside of an input function."""
            try:
                return cls._request_id.get()
            except LookupError as exc:
                raise ContextError("request_id() is for the input function of a UserProxyAgent") from exc

    def __init__(
        self, name: str, *, description: str = "A human user", input_func: InputFuncType | None = None
    ) -> None:
        super().__init__(name=name, description=description)
        self.input_func: InputFuncType = input_func or terminal_input

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """Text and handoffs."""
        return (TextMessage, HandoffMessage)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Ask; raises as `on_messages_stream`."""
        async for item in self.on_messages_stream(messages, cancellation_token):
            if isinstance(item, Response):
                return item
        raise AgentopicError(f"agent {self.name!r} ended its stream without a Response")

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Show that a person is asked, ask, and pass the answer on.

        Raises:
            UserInputError: the input function failed, or the last message hands off to another agent.
            asyncio.CancelledError: the token was cancelled.
        """
        handoff = self._latest_handoff(messages)
        request_id = mint_id()
        yield UserInputRequestedEvent(request_id=request_id, source=self.name)
        with UserProxyAgent.InputRequestContext.populate_context(request_id):
            answer = await self._answer(messages, handoff, request_id, cancellation_token)
        if handoff is None:
            yield Response(chat_message=TextMessage(content=answer, source=self.name))
        else:
            yield Response(chat_message=HandoffMessage(content=answer, target=handoff.source, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken | None = None) -> None:
        """Nothing to forget."""

    async def _answer(
        self,
        messages: Sequence[BaseChatMessage],
        handoff: HandoffMessage | None,
        request_id: str,
        cancellation_token: CancellationToken,
    ) -> str:
        prompt = "Enter your response: "
        if handoff is not None:
            prompt = f"Handoff received from {handoff.source}. {prompt}"
        if self.input_func is not terminal_input or current_turn.get() is None:
            return await call_input_func(self.name, self.input_func, prompt, cancellation_token)
        last = messages[-1] if messages else None
        answer = await ask(
            prompt.strip() if last is None else last.to_text(),
            details={"agent": self.name, "request_id": request_id, "from": last.source if last else None},
        )
        return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)

    def _latest_handoff(self, messages: Sequence[BaseChatMessage]) -> HandoffMessage | None:
        last = messages[-1] if messages else None
        if not isinstance(last, HandoffMessage):
            return None
        if last.target != self.name:
            raise UserInputError(
                f"Failed to get user input: Handoff message target does not match agent name: {last.source} hands off "
                f"to {last.target}, this is {self.name}"
            )
        return last

    def _to_config(self) -> UserProxyAgentConfig:
        return UserProxyAgentConfig(name=self.name, description=self.description)

    @classmethod
    def _from_config(cls, config: UserProxyAgentConfig) -> Self:
        return cls(name=config.name, description=config.description)
