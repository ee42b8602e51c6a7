"""`SpeakerChoice`: has a model choose who speaks next."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from agentopic.agentchat import TRACE_LOGGER_NAME
from agentopic.agentchat.messages import BaseAgentEvent, ModelClientStreamingChunkEvent, SelectorEvent
from agentopic.core import CancellationToken
from agentopic.core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelFamily,
    SystemMessage,
    UserMessage,
)

_logger: Final = logging.getLogger(TRACE_LOGGER_NAME)

DEFAULT_PROMPT: Final = """You lead a conversation among these roles:
{roles}

Here is the conversation so far:

{history}

Decide which one of {participants} should speak next. Answer with that name and nothing else.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerChoice:
    """Asks the model, and tells it what is wrong with an answer that names nobody, several, or whom it may not name."""

    name: str
    """Of the manager, as the source of what it shows."""
    model_client: ChatCompletionClient
    prompt: str
    """With the fields {roles}, {participants} and {history}."""
    roles: str
    names: Sequence[str]
    max_attempts: int
    streaming: bool
    shows_events: bool
    show: Callable[[BaseAgentEvent], Awaitable[None]]

    async def choose(
        self, history: str, candidates: Sequence[str], previous: str | None, token: CancellationToken
    ) -> str:
        """One of the candidates; without a usable answer `previous`, or the first candidate."""
        text = self.prompt.format(roles=self.roles, participants=str([*candidates]), history=history)
        is_openai = ModelFamily.is_openai(self.model_client.model_info["family"])
        conversation: list[LLMMessage] = [
            SystemMessage(content=text) if is_openai else UserMessage(content=text, source="user")
        ]
        for _ in range(self.max_attempts):
            answer = await self._ask(conversation, token)
            named = mentioned(answer, self.names)
            if len(named) == 1 and named[0] in candidates:
                return named[0]
            conversation.append(AssistantMessage(content=answer, source="selector"))
            conversation.append(UserMessage(content=_complaint(named, candidates, previous), source="user"))
        fallback = previous or candidates[0]
        _logger.warning("The model named no speaker in %d attempts; %r is taken instead", self.max_attempts, fallback)
        return fallback

    async def _ask(self, conversation: Sequence[LLMMessage], token: CancellationToken) -> str:
        if not self.streaming:
            return _text(await self.model_client.create(conversation, cancellation_token=token))
        answer: CreateResult | None = None
        async for item in self.model_client.create_stream(conversation, cancellation_token=token):
            if isinstance(item, CreateResult):
                answer = item
            elif self.shows_events:
                await self.show(ModelClientStreamingChunkEvent(content=item, source=self.name))
        text = "" if answer is None else _text(answer)
        if self.shows_events:
            await self.show(SelectorEvent(content=text, source=self.name))
        return text


def mentioned(text: str, names: Iterable[str]) -> list[str]:
    """The names that a text mentions as whole words; underscores may be spaces, or escaped as in Markdown."""
    return [name for name in names if re.search(rf"(?<!\w)(?:{'|'.join(_spellings(name))})(?!\w)", text)]


def _spellings(name: str) -> set[str]:
    return {re.escape(spelling) for spelling in (name, name.replace("_", " "), name.replace("_", r"\_"))}


def _complaint(named: Sequence[str], candidates: Sequence[str], previous: str | None) -> str:
    if not named:
        return f"That names nobody of the team. Answer with one of these names: {[*candidates]}."
    if len(named) > 1:
        return f"That names more than one. Answer with a single one of these names: {[*candidates]}."
    if named[0] == previous:
        return f"{named[0]} has just spoken. Answer with another of these names: {[*candidates]}."
    return f"{named[0]} cannot speak now. Answer with one of these names: {[*candidates]}."


def _text(answer: CreateResult) -> str:
    return answer.content.strip() if isinstance(answer.content, str) else ""
