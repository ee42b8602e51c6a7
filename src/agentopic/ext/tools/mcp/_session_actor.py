"""`McpSessionActor`: a session with an MCP server behind one method, for code written against AutoGen's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Self, TypeAlias

from mcp import ClientSession
from mcp_types import InitializeResult
from pydantic import BaseModel
from typing_extensions import TypedDict

from agentopic.core import Component, ComponentBase, ComponentModel
from agentopic.core.models import ChatCompletionClient
from agentopic.errors import McpConnectionError, McpError
from agentopic.ext.tools.mcp._command_policy import require_allowed
from agentopic.ext.tools.mcp._mcp_connection import McpConnection
from agentopic.ext.tools.mcp._mcp_session import create_mcp_server_session
from agentopic.ext.tools.mcp._sampling import sampling_by
from agentopic.ext.tools.mcp._server_params import (
    AnyServerParams,
    McpServerParams,
    answer_seconds,
    server_label,
    start_seconds,
)


class McpActorArgs(TypedDict):
    """What a call is made with."""

    name: str | None
    """Of a tool or prompt."""
    kargs: Mapping[str, Any]
    """A tool's arguments, a prompt's `arguments`, or a resource's `uri`."""


Request: TypeAlias = Callable[[ClientSession], Coroutine[Any, Any, Any]]


class McpSessionActorConfig(BaseModel):
    """Config of McpSessionActor."""

    server_params: McpServerParams
    model_client: ComponentModel | dict[str, Any] | None = None


class McpSessionActor(ComponentBase[BaseModel], Component[McpSessionActorConfig]):
    """Keeps a session open from `initialize` to `close`; McpWorkbench is the same with methods of their own."""

    component_type = "mcp_session_actor"
    component_config_schema = McpSessionActorConfig
    component_provider_override = "autogen_ext.tools.mcp.McpSessionActor"

    name = "mcp_session_actor"
    description = "Keeps a session with an MCP server open"

    def __init__(self, server_params: AnyServerParams, model_client: ChatCompletionClient | None = None) -> None:
        self.server_params = server_params
        self._model_client = model_client
        self._connection: McpConnection | None = None

    @property
    def initialize_result(self) -> InitializeResult | None:
        """What the server said about itself; None while there is no session."""
        return None if self._connection is None else self._connection.initialize_result

    async def initialize(self) -> None:
        """Open the session; nothing happens when it is open.

        Raises:
            McpConnectionError: the server cannot be started or reached.
        """
        if self._connection is not None and self._connection.is_open:
            return
        await self.close()
        params, client = self.server_params, self._model_client
        connection = McpConnection(
            lambda: create_mcp_server_session(params, None if client is None else sampling_by(client)),
            server=server_label(params),
            start_seconds=start_seconds(params),
            answer_seconds=answer_seconds(params),
        )
        await connection.start()
        self._connection = connection

    async def call(self, type: str, args: McpActorArgs | None = None) -> asyncio.Future[Any]:  # noqa: A002 - AutoGen's name
        """Begin a request (`list_tools`, `call_tool`, `list_prompts`, …); the future holds the SDK's result.

        Raises:
            McpConnectionError: there is no session.
            McpError: the request is unknown, or lacks a name.
        """
        if self._connection is None:
            raise McpConnectionError("the MCP session is not open: call initialize() first")
        return asyncio.ensure_future(self._connection.call(_request(type, args)))

    async def close(self) -> None:
        """End the session; idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    def _to_config(self) -> McpSessionActorConfig:
        client = self._model_client
        return McpSessionActorConfig(
            server_params=self.server_params, model_client=None if client is None else client.dump_component()
        )

    @classmethod
    def _from_config(cls, config: McpSessionActorConfig) -> Self:
        require_allowed(config.server_params)
        client = config.model_client
        return cls(config.server_params, None if client is None else ChatCompletionClient.load_component(client))


_LISTS: dict[str, Request] = {
    "list_tools": lambda session: session.list_tools(),
    "list_prompts": lambda session: session.list_prompts(),
    "list_resources": lambda session: session.list_resources(),
    "list_resource_templates": lambda session: session.list_resource_templates(),
}


def _request(kind: str, args: McpActorArgs | None) -> Request:
    if kind in _LISTS:
        return _LISTS[kind]
    given = dict(args["kargs"]) if args else {}
    if kind == "read_resource":
        return lambda session: session.read_resource(str(given["uri"]))
    name = args["name"] if args else None
    if kind not in {"call_tool", "get_prompt"} or name is None:
        raise McpError(f"unknown request {kind!r}, or one without the name it needs")
    if kind == "call_tool":
        return lambda session: session.call_tool(name, given)
    return lambda session: session.get_prompt(name, given.get("arguments"))
