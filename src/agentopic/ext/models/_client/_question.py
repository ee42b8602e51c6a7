"""`Question`: one call as the caller states it, before a provider's own form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

from agentopic.core import Image
from agentopic.core.models import LLMMessage, ModelInfo, SystemMessage, UserMessage
from agentopic.core.tools import Tool, ToolSchema

ToolChoice: TypeAlias = Tool | Literal["auto", "required", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The arguments of `create` and `create_stream`."""

    messages: Sequence[LLMMessage]
    tools: Sequence[Tool | ToolSchema] = ()
    tool_choice: ToolChoice = "auto"
    json_output: bool | type[BaseModel] | None = None
    extra: Mapping[str, Any]
    """Goes to the provider as it is."""

    @property
    def tool_schemas(self) -> list[ToolSchema]:
        """The tools as the model is told of them."""
        return [tool.schema if isinstance(tool, Tool) else tool for tool in self.tools]

    @property
    def chosen_tool(self) -> str | None:
        """The name of the one tool the model must call, if it must call a certain one.

        Raises:
            ValueError: that tool is not among the tools.
        """
        if isinstance(self.tool_choice, str):
            return None
        names = [schema["name"] for schema in self.tool_schemas]
        chosen = self.tool_choice.schema["name"]
        if chosen not in names:
            raise ValueError(f"tool_choice {chosen!r} is not among the given tools: {', '.join(names)}")
        return chosen

    @property
    def output_schema(self) -> type[BaseModel] | None:
        """The class whose schema the answer is held to, if there is one."""
        return self.json_output if isinstance(self.json_output, type) else None

    def fitted(self, info: ModelInfo) -> Question:
        """The question as this model can be asked it.

        Raises:
            ValueError: the model cannot do what is asked; the message names the field of its model_info.
        """
        _check_abilities(self, info)
        if info.get("multiple_system_messages") is False:
            return replace(self, messages=_with_one_system_message(self.messages))
        return self


def split_system(messages: Sequence[LLMMessage]) -> tuple[str | None, list[LLMMessage]]:
    """The instructions and the rest, for providers that take them apart from each other."""
    texts = [message.content for message in messages if isinstance(message, SystemMessage)]
    rest: list[LLMMessage] = [message for message in messages if not isinstance(message, SystemMessage)]
    return ("\n".join(texts) if texts else None), rest


def _check_abilities(question: Question, info: ModelInfo) -> None:
    missing = None
    if not info["vision"] and _has_images(question.messages):
        missing = "takes no images (its model_info says vision=False)"
    elif not info["function_calling"] and question.tools:
        missing = "calls no tools (its model_info says function_calling=False)"
    elif question.json_output is True and not info["json_output"]:
        missing = "cannot be held to JSON (its model_info says json_output=False)"
    elif question.output_schema is not None and not info.get("structured_output", False):
        missing = "cannot be held to a schema (its model_info says structured_output=False)"
    if missing is not None:
        raise ValueError(f"the model {missing}")


def _has_images(messages: Sequence[LLMMessage]) -> bool:
    return any(
        isinstance(part, Image)
        for message in messages
        if isinstance(message, UserMessage) and not isinstance(message.content, str)
        for part in message.content
    )


def _with_one_system_message(messages: Sequence[LLMMessage]) -> list[LLMMessage]:
    positions = [i for i, message in enumerate(messages) if isinstance(message, SystemMessage)]
    if len(positions) < 2:
        return list(messages)
    if positions[-1] - positions[0] != len(positions) - 1:
        raise ValueError("this model takes system messages only when they stand together")
    merged = "\n".join(m.content for m in messages if isinstance(m, SystemMessage))
    return [*messages[: positions[0]], SystemMessage(content=merged), *messages[positions[-1] + 1 :]]
