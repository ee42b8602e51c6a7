"""How a person is asked about a tool call: the durable inbox, a function of the user's, or the terminal."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from agentopic.core._turn import ask, current_turn

_ALLOW, _DENY = _CHOICES = ("allow", "deny")


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
    or without one the terminal is read. `allow` approves; `deny`, `deny: <why>` and any other text refuse, and the
    model is told why.
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
            choices=_CHOICES if current_turn.get() is None else (*_CHOICES, f"{_DENY}: <why>"),
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
        reason = answer.removeprefix(_DENY).removeprefix(":").strip()
        return ToolApprovalResponse(approved=answer == _ALLOW, reason=None if answer == _ALLOW else reason or None)
    if isinstance(answer, Mapping):
        try:
            return ToolApprovalResponse.model_validate(answer)
        except ValidationError:
            return ToolApprovalResponse(approved=False)
    return ToolApprovalResponse(approved=False)
