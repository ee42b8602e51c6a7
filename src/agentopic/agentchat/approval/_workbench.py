"""`ApprovalWorkbench`: a workbench whose calls are subject to a policy."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from agentopic.agentchat.approval._policy import ApprovalPolicy
from agentopic.agentchat.approval._question import ToolApprovalFunc, ToolApprovalRequest, approval_of
from agentopic.core import CancellationToken, Component, ComponentModel
from agentopic.core.tools import StreamWorkbench, TextResultContent, ToolResult, ToolSchema, Workbench
from agentopic.errors import ComponentError


class ApprovalWorkbenchConfig(BaseModel):
    """Config of ApprovalWorkbench."""

    workbench: ComponentModel
    policy: ApprovalPolicy


class ApprovalWorkbench(StreamWorkbench, Component[ApprovalWorkbenchConfig]):
    """Lists the tools of another workbench, and calls them as the policy says.

    A refused call is not made; its result, an error, says so to the model. Where a person is asked, the call waits:
    inside a durable turn for the inbox, through restarts; elsewhere for `approval_func`, or without one for the
    terminal.
    """

    component_config_schema = ApprovalWorkbenchConfig
    component_provider_override = "agentopic.agentchat.approval.ApprovalWorkbench"
    step_scope: ClassVar[bool] = True

    def __init__(
        self, workbench: Workbench, policy: ApprovalPolicy, *, approval_func: ToolApprovalFunc | None = None
    ) -> None:
        self._workbench = workbench
        self._policy = policy
        self._approval_func = approval_func

    async def list_tools(self) -> list[ToolSchema]:
        """The other workbench's tools, also those that are always refused."""
        return await self._workbench.list_tools()

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool, if the policy and whoever is asked allow it."""
        refusal = await self._refusal(name, arguments or {}, call_id)
        return refusal or await self._workbench.call_tool(name, arguments, cancellation_token, call_id)

    async def call_tool_stream(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> AsyncGenerator[Any | ToolResult, None]:
        """Like `call_tool`, with what happens on the way."""
        refusal = await self._refusal(name, arguments or {}, call_id)
        if refusal is not None:
            yield refusal
        elif isinstance(self._workbench, StreamWorkbench):
            stream = self._workbench.call_tool_stream(name, arguments, cancellation_token, call_id)
            async with aclosing(stream) as items:
                async for item in items:
                    yield item
        else:
            yield await self._workbench.call_tool(name, arguments, cancellation_token, call_id)

    async def start(self) -> None:
        await self._workbench.start()

    async def stop(self) -> None:
        await self._workbench.stop()

    async def reset(self) -> None:
        await self._workbench.reset()

    async def save_state(self) -> Mapping[str, Any]:
        """The other workbench's state."""
        return await self._workbench.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        await self._workbench.load_state(state)

    async def _refusal(self, name: str, arguments: Mapping[str, Any], call_id: str | None) -> ToolResult | None:
        rule = self._policy.rule_for(name, arguments)
        if rule.decision == "allow":
            return None
        if rule.decision == "deny":
            return _refused(name, rule.reason or "it is not allowed here")
        request = ToolApprovalRequest(tool=name, arguments=dict(arguments), call_id=call_id, reason=rule.reason)
        response = await approval_of(request, self._approval_func)
        return None if response.approved else _refused(name, response.reason or "a person was asked and said no")

    def _to_config(self) -> ApprovalWorkbenchConfig:
        if self._approval_func is not None:
            raise ComponentError("a workbench with an approval_func cannot be written as JSON: the function is code")
        return ApprovalWorkbenchConfig(workbench=self._workbench.dump_component(), policy=self._policy)

    @classmethod
    def _from_config(cls, config: ApprovalWorkbenchConfig) -> Self:
        return cls(Workbench.load_component(config.workbench), config.policy)


def _refused(name: str, reason: str) -> ToolResult:
    text = f"The call of {name} was refused and has not been made: {reason}"
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=True)
