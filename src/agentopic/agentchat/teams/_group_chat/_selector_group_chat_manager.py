"""`SelectorGroupChatManager`: who speaks next is said by a function or chosen by a model."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, HandoffMessage
from agentopic.agentchat.state import BaseGroupChatManagerState, SelectorManagerState
from agentopic.agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager
from agentopic.agentchat.teams._group_chat._speaker_choice import SpeakerChoice
from agentopic.core.model_context import ChatCompletionContext
from agentopic.core.models import AssistantMessage, ChatCompletionClient, LLMMessage, UserMessage

Conversation: TypeAlias = Sequence[BaseAgentEvent | BaseChatMessage]
SelectorFuncType: TypeAlias = Callable[[Conversation], str | None] | Callable[[Conversation], Awaitable[str | None]]
CandidateFuncType: TypeAlias = Callable[[Conversation], list[str]] | Callable[[Conversation], Awaitable[list[str]]]


class SelectorGroupChatManager(BaseGroupChatManager):
    """Asks the selector function; where it says nothing, the model, about the candidates.

    The model is told the chat messages of the conversation as `model_context` has them.
    """

    state_class = SelectorManagerState

    def __init__(
        self,
        *,
        model_client: ChatCompletionClient,
        selector_prompt: str,
        allow_repeated_speaker: bool,
        selector_func: SelectorFuncType | None,
        max_selector_attempts: int,
        candidate_func: CandidateFuncType | None,
        model_client_streaming: bool,
        model_context: ChatCompletionContext,
        **setup: Any,
    ) -> None:
        super().__init__(**setup)
        self._allow_repeated_speaker = allow_repeated_speaker
        self._selector_func = selector_func
        self._candidate_func = candidate_func
        self._model_context = model_context
        self._previous_speaker: str | None = None
        self._choice = SpeakerChoice(
            name=self._name,
            model_client=model_client,
            prompt=selector_prompt,
            roles=_roles(self._participant_names, self._participant_descriptions),
            names=self._participant_names,
            max_attempts=max_selector_attempts,
            streaming=model_client_streaming,
            shows_events=self._emit_team_events,
            show=self._output_message_queue.put,
        )

    async def validate_group_state(self, messages: list[BaseChatMessage] | None) -> None:
        """Anything is fine."""

    async def reset(self) -> None:
        """Nobody has spoken."""
        self._previous_speaker = None
        await self._model_context.clear()

    async def update_message_thread(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> None:
        """Take new messages into the conversation, and chat messages into the model's context."""
        await super().update_message_thread(messages)
        await self._tell_model(messages)

    async def select_speaker(self, thread: Sequence[BaseAgentEvent | BaseChatMessage]) -> list[str] | str:
        """Who is next; ValueError when a function gives what is no participant."""
        said = await self._said_by_function(thread)
        if said is not None:
            return said
        candidates = await self._candidates(thread)
        if len(candidates) == 1:
            self._previous_speaker = candidates[0]
        else:
            history = _history(await self._model_context.get_messages())
            self._previous_speaker = await self._choice.choose(history, candidates, self._previous_speaker, self.token)
        return self._previous_speaker

    def selection_state(self) -> Mapping[str, Any]:
        return {"previous_speaker": self._previous_speaker}

    async def load_selection_state(self, state: BaseGroupChatManagerState, saved: Mapping[str, Any]) -> None:
        self._previous_speaker = SelectorManagerState.model_validate(saved).previous_speaker
        await self._model_context.clear()
        await self._tell_model(self._thread.messages)

    async def _said_by_function(self, thread: Conversation) -> str | None:
        if self._selector_func is None:
            return None
        said = await _given(self._selector_func(thread))
        if said is not None and said not in self._participant_names:
            raise ValueError(
                f"Selector function returned an invalid speaker name: {said}. "
                f"Expected one of: {self._participant_names}."
            )
        return said

    async def _candidates(self, thread: Conversation) -> list[str]:
        if self._candidate_func is None:
            barred = None if self._allow_repeated_speaker else self._previous_speaker
            return [name for name in self._participant_names if name != barred] or self._participant_names
        candidates = list(await _given(self._candidate_func(thread)))
        if not candidates:
            raise ValueError("Candidate function must return a non-empty list of participant names.")
        if not all(name in self._participant_names for name in candidates):
            raise ValueError(
                f"Candidate function returned invalid participant names: {candidates}. "
                f"Expected one of: {self._participant_names}."
            )
        return candidates

    async def _tell_model(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> None:
        for message in messages:
            if isinstance(message, HandoffMessage):
                for told in message.context:
                    await self._model_context.add_message(told)
            if isinstance(message, BaseChatMessage):
                await self._model_context.add_message(message.to_model_message())


async def _given(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _roles(names: Sequence[str], descriptions: Sequence[str]) -> str:
    lines = [re.sub(r"\s+", " ", f"{name}: {text}").strip() for name, text in zip(names, descriptions, strict=True)]
    return "\n".join(lines)


def _history(messages: Sequence[LLMMessage]) -> str:
    return "\n".join(
        f"{message.source}: {_shown(message.content)}\n\n"
        for message in messages
        if isinstance(message, UserMessage | AssistantMessage)
    )


def _shown(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(part if isinstance(part, str) else "[Image]" for part in cast("list[Any]", content))
