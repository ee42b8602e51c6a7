"""Lets an MCP server have a model's text: its sampling requests go to a model client of ours."""

from __future__ import annotations

import binascii

from mcp.client.session import ClientRequestContext, SamplingFnT
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    CreateMessageRequestParams,
    CreateMessageResult,
    ErrorData,
    ImageContent,
    SamplingMessage,
    TextContent,
)
from PIL.Image import DecompressionBombError

from agentopic.core import Image
from agentopic.core.models import AssistantMessage, ChatCompletionClient, LLMMessage, SystemMessage, UserMessage
from agentopic.errors import ModelError, ToolAnswerError

_STOP_REASONS = {"stop": "endTurn", "length": "maxTokens"}


def sampling_by(model_client: ChatCompletionClient) -> SamplingFnT:
    """A sampling callback that asks this client; a model's failure is told to the server."""

    async def answer(
        context: ClientRequestContext,
        params: CreateMessageRequestParams,
    ) -> CreateMessageResult | ErrorData:
        try:
            messages = [_message(each) for each in params.messages]
        except ToolAnswerError as exc:
            return ErrorData(code=INVALID_REQUEST, message=str(exc))
        if params.system_prompt:
            messages.insert(0, SystemMessage(content=params.system_prompt))
        try:
            result = await model_client.create(messages)
        except ModelError as exc:
            return ErrorData(code=INTERNAL_ERROR, message=str(exc))
        if not isinstance(result.content, str):
            return ErrorData(code=INTERNAL_ERROR, message="the model asked for tools instead of answering")
        return CreateMessageResult(
            role="assistant",
            content=TextContent(type="text", text=result.content),
            model=str(model_client.model_info["family"]),
            stop_reason=_STOP_REASONS.get(result.finish_reason, result.finish_reason),
        )

    return answer


def _message(message: SamplingMessage) -> LLMMessage:
    """A message of the server for our client.

    Raises:
        ToolAnswerError: it holds what no model client takes: audio, tool calls, a broken image.
    """
    parts = [_content(each) for each in message.content_as_list]
    if message.role == "assistant":
        return AssistantMessage(content="\n".join(str(part) for part in parts), source="assistant")
    texts = [part for part in parts if isinstance(part, str)]
    return UserMessage(content=texts[0] if len(parts) == len(texts) == 1 else parts, source="user")


def _content(part: object) -> str | Image:
    if isinstance(part, TextContent):
        return part.text
    if isinstance(part, ImageContent):
        try:
            return Image.from_base64(part.data)
        except (binascii.Error, OSError, ValueError, DecompressionBombError) as exc:
            raise ToolAnswerError(f"sampling with {part.mime_type} that cannot be read") from exc
    raise ToolAnswerError(f"sampling with {type(part).__name__} is not supported")
