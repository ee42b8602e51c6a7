"""Whether an MCP server that component JSON names may be started as a process of this machine."""

from __future__ import annotations

from agentopic.core._component_policy import policy_in_force
from agentopic.errors import ComponentCommandError
from agentopic.ext.tools.mcp._server_params import AnyServerParams, StdioServerParams


def require_allowed(params: AnyServerParams) -> None:
    """Let pass what starts no command, and what the component policy in force allows.

    Raises:
        ComponentCommandError: the parameters name a command, and nobody has allowed component JSON to do so.
    """
    if isinstance(params, StdioServerParams) and not policy_in_force().allow_commands:
        raise ComponentCommandError(
            f"the MCP server is the command {params.command!r}, and using it would start that: if you trust whoever "
            "wrote this JSON, pass allow_commands=True to load_component or set AGENTOPIC_ALLOW_COMPONENT_COMMANDS=true"
        )
