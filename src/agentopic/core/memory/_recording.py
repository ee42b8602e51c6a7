"""Makes the calls of a memory steps: recorded inside a durable turn, plain outside of one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from pydantic import BaseModel

from agentopic.core._image import Image
from agentopic.core._turn import StepSpec, current_turn
from agentopic.core.tools._idempotency import use_idempotency_key
from agentopic.core.utils._canonical_json import canonical_json

Call: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]
Specify: TypeAlias = Callable[[Any, str, bytes], StepSpec[Any]]

_MARK = "__agentopic_recorded__"


def record_memory_calls(cls: type, result_type: type[BaseModel]) -> None:
    """Wrap `query`, `add` and `clear` of a memory class, once per definition."""

    def found(_memory: Any, name: str, given: bytes) -> StepSpec[Any]:
        return StepSpec(
            kind="tool",
            name=name,
            input=given,
            encode=lambda result: result.model_dump_json().encode(),
            decode=result_type.model_validate_json,
            repeatable=True,
        )

    for method, specify in (("query", found), ("add", _added), ("clear", _cleared)):
        defined: Any = getattr(cls, method)
        if not (getattr(defined, "__isabstractmethod__", False) or hasattr(defined, _MARK)):
            recorded = _recorded(defined, method, specify)
            setattr(recorded, _MARK, True)
            setattr(cls, method, recorded)


def _added(memory: Any, name: str, given: bytes) -> StepSpec[Any]:
    return _done(name, given, repeatable=memory.repeatable_add)


def _cleared(_memory: Any, name: str, given: bytes) -> StepSpec[Any]:
    return _done(name, given, repeatable=True)


def _done(name: str, given: bytes, *, repeatable: bool) -> StepSpec[Any]:
    return StepSpec(
        kind="tool", name=name, input=given, encode=lambda _: b"null", decode=lambda _: None, repeatable=repeatable
    )


def _recorded(call: Call, method: str, specify: Specify) -> Call:
    @functools.wraps(call)
    async def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        turn = current_turn.get()
        if turn is None or self.step_scope:
            return await call(self, *args, **kwargs)

        async def run(idempotency_key: str) -> Any:
            with use_idempotency_key(idempotency_key):
                return await call(self, *args, **kwargs)

        rest = {name: _plain(value) for name, value in kwargs.items() if name != "cancellation_token"}
        given = canonical_json([*map(_plain, args[:1]), rest])
        return await turn.step(specify(self, f"{type(self).__name__}.{method}", given), run)

    return recorded


def _plain(value: Any) -> Any:
    """Return what tells one content from another: the fields of a model as they are, since its bytes may be no text."""
    if isinstance(value, Image):
        return value.to_base64()
    return {name: _plain(field) for name, field in value} if isinstance(value, BaseModel) else value
