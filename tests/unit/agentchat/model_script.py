"""Models that answer from a script."""

from __future__ import annotations

from agentopic.core import FunctionCall
from agentopic.core.models import CreateResult, ModelInfo, RequestUsage
from agentopic.ext.models.replay import ReplayChatCompletionClient

ABLE = ModelInfo(vision=True, function_calling=True, json_output=True, family="unknown", structured_output=True)


def scripted(*answers: str | CreateResult) -> ReplayChatCompletionClient:
    """A model that can do everything and says this."""
    return ReplayChatCompletionClient(list(answers), ABLE)


def calling(*calls: tuple[str, str]) -> CreateResult:
    """An answer that asks for tools, by names and JSON arguments; their ids are 0, 1, 2."""
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id=str(i), name=name, arguments=args) for i, (name, args) in enumerate(calls)],
        usage=RequestUsage(prompt_tokens=3, completion_tokens=4),
        cached=False,
    )
