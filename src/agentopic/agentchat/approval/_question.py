"""How a person is asked about a tool call: the durable inbox, a function of the user's, or the terminal."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from agentopic.core._turn import ask, current_turn


class ToolApprovalRequest(BaseModel):
    """A tool call that waits for a person's word."""

    tool: str
    arguments: dict[str, Any]
    call_id: str | None = None
    reason: str | None = None
    """Why a person is asked."""


class ToolApprovalResponse(BaseModel):
    """What the person says; the model is told the reason of a refusal."""

    approved: bool
    reason: str | None = None


ToolApprovalFunc: TypeAlias = Callable[
    [ToolApprovalRequest], ToolApprovalResponse | bool | Awaitable[ToolApprovalResponse | bool]
]


async def approval_of(request: ToolApprovalRequest, func: ToolApprovalFunc | None) -> ToolApprovalResponse:
    """Ask and return the answer.

    Inside a durable turn the question waits in the durable inbox until it is answered. Elsewhere `func` is called,
    or without one the terminal is read. The answer `allow` approves, `deny` refuses; any other text refuses, too,
    and is told to the model as the reason.
    """
    if func is not None and current_turn.get() is None:
        called = func(request)
        answer: Any = await called if inspect.isawaitable(called) else called
    else:
        answer = await _asked(request)
    return _as_response(answer)


async def _asked(request: ToolApprovalRequest) -> Any:
    why = f" ({request.reason})" if request.reason else ""
    try:
        return await ask(
            f"Call the tool {request.tool}?{why}",
            choices=["allow", "deny"],
            details=request.model_dump(mode="json", exclude_none=True),
        )
    except EOFError:
        return ToolApprovalResponse(approved=False, reason="there is nobody to ask")


def _as_response(answer: Any) -> ToolApprovalResponse:
    if isinstance(answer, ToolApprovalResponse):
        return answer
    if isinstance(answer, bool):
        return ToolApprovalResponse(approved=answer)
    if isinstance(answer, str):
        reason = None if answer in ("allow", "deny") else answer
        return ToolApprovalResponse(approved=answer == "allow", reason=reason)
    if isinstance(answer, Mapping):
        try:
            return ToolApprovalResponse.model_validate(answer)
        except ValidationError:
            return ToolApprovalResponse(approved=False)
    return ToolApprovalResponse(approved=False)
