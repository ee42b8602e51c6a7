"""One call of an MCP tool, and its answer as parts a model can read."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any, cast

from mcp import ClientSession
from mcp_types import CallToolResult, ContentBlock, ImageContent, RequestParamsMeta, TextContent
from PIL.Image import DecompressionBombError

from agentopic.core import CancellationToken, Image
from agentopic.core.tools import ImageResultContent, ResultContent, TextResultContent, current_idempotency_key
from agentopic.errors import McpError
from agentopic.ext.tools.mcp._mcp_connection import McpConnection

IDEMPOTENCY_META_KEY = "agentopic/idempotencyKey"
"""Where a call's `_meta` carries its idempotency key: the same on every attempt of a durable turn."""

_MAX_CHARACTERS = 8 * 1024 * 1024


async def call_mcp_tool(
    connection: McpConnection,
    name: str,
    arguments: Mapping[str, Any],
    cancellation_token: CancellationToken | None = None,
) -> CallToolResult:
    """Call a tool of the server, with the idempotency key of the running step.

    Raises:
        McpError: as McpConnection.call; or the answer is too large to be kept.
    """
    key = current_idempotency_key()
    meta = None if key is None else cast("RequestParamsMeta", {IDEMPOTENCY_META_KEY: key})

    async def request(session: ClientSession) -> CallToolResult:
        return await session.call_tool(name, dict(arguments), meta=meta)

    result = await connection.call(request, cancellation_token)
    size = sum(_size(part) for part in result.content)
    if size > _MAX_CHARACTERS:
        raise McpError(f"the answer of tool {name!r} has {size} characters, more than the {_MAX_CHARACTERS} allowed")
    return result


def result_parts(content: list[ContentBlock]) -> list[ResultContent]:
    """The parts of an answer; what is neither text nor an image is shown as its JSON."""
    return [_part(each) for each in content]


def as_json(part: ContentBlock) -> dict[str, Any]:
    """A part as MCP writes it, without metadata that is not for the model."""
    return part.model_dump(mode="json", by_alias=True, exclude={"meta"})


def _part(part: ContentBlock) -> ResultContent:
    if isinstance(part, TextContent):
        return TextResultContent(content=part.text)
    if isinstance(part, ImageContent):
        try:
            return ImageResultContent(content=Image.from_base64(part.data))
        except (binascii.Error, OSError, ValueError, DecompressionBombError):
            return TextResultContent(content=f"[{part.mime_type} that cannot be read]")
    return TextResultContent(content=part.model_dump_json(by_alias=True, exclude={"meta"}, exclude_none=True))


def _size(part: ContentBlock) -> int:
    if isinstance(part, TextContent):
        return len(part.text)
    return len(part.model_dump_json())
