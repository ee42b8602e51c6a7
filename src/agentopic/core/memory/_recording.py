"""Makes the queries of a memory steps: recorded inside a durable turn, plain outside of one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from pydantic import BaseModel

from agentopic.core._turn import StepSpec, current_turn
from agentopic.core.utils._canonical_json import canonical_json

Query: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]

_MARK = "__agentopic_recorded__"


def record_queries(cls: type, result_type: type[BaseModel]) -> None:
    """Wrap `query` of a memory class, once per definition."""
    defined: Any = getattr(cls, "query")  # noqa: B009 - any memory has it, the type checker cannot know
    if not (getattr(defined, "__isabstractmethod__", False) or hasattr(defined, _MARK)):
        recorded = _recorded(defined, result_type)
        setattr(recorded, _MARK, True)
        setattr(cls, "query", recorded)  # noqa: B010 - as above


def _recorded(query: Query, result_type: type[BaseModel]) -> Query:
    @functools.wraps(query)
    async def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        turn = current_turn.get()
        if turn is None or self.step_scope:
            return await query(self, *args, **kwargs)

        async def run(_idempotency_key: str) -> Any:
            return await query(self, *args, **kwargs)

        rest = {name: value for name, value in kwargs.items() if name != "cancellation_token"}
        spec: StepSpec[Any] = StepSpec(
            kind="tool",
            name=f"{type(self).__name__}.query",
            input=canonical_json([*args[:1], rest]),
            encode=lambda result: result.model_dump_json().encode(),
            decode=result_type.model_validate_json,
            repeatable=True,
        )
        return await turn.step(spec, run)

    return recorded
