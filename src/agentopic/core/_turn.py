"""`TurnScope`: the hook through which models, tools and ids inside a durable turn reach the engine."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

T = TypeVar("T")

StepKind = Literal["model", "tool", "effect", "request", "timer", "human"]
"""What a step does; decides what an intent without a result means on a later attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec(Generic[T]):
    """One effect that is recorded: intent before it runs, result after it."""

    kind: StepKind
    name: str
    """The model, tool or effect name; part of the step's key."""
    input: bytes
    """The canonical input; its fingerprint is part of the step's key, the bytes themselves are not stored."""
    encode: Callable[[T], bytes]
    """Turns a result into the bytes the journal keeps."""
    decode: Callable[[bytes], T]
    """Turns recorded bytes back into the result."""
    repeatable: bool = False
    """Whether an intent without a result may run again (models; tools declared pure or idempotent)."""


class TurnScope(Protocol):
    """What a durable turn offers to the code that runs inside it."""

    async def step(self, spec: StepSpec[T], run: Callable[[str], Awaitable[T]]) -> T:
        """Return the recorded result of this step, or run it once and record its result.

        `run` is given the idempotency key derived from the step. A step opened while another step of the
        same task is running is part of that outer step and runs plainly.

        Raises:
            StepOutcomeUnknownError: an unrepeatable call was open when an earlier attempt died.
            TurnClosedError: the turn has already finished.
        """
        ...

    def now(self) -> datetime:
        """The time of this point of the turn, aware, UTC; the same on every attempt."""
        ...

    def new_id(self) -> str:
        """A fresh id; a later attempt of the turn draws the same sequence of ids."""
        ...


current_turn: ContextVar[TurnScope | None] = ContextVar("agentopic_current_turn", default=None)
"""The durable turn this task runs in, or None outside of one."""


def mint_id() -> str:
    """A new id: from the turn inside a durable turn, so that a later attempt mints the same; random outside."""
    turn = current_turn.get()
    return str(uuid.uuid4()) if turn is None else turn.new_id()


def mint_time() -> datetime:
    """The current UTC time: from the turn inside a durable turn, from the clock outside."""
    turn = current_turn.get()
    return datetime.now(UTC) if turn is None else turn.now()


async def step(name: str, run: Callable[[], Awaitable[T]], *, given: Any = None, repeatable: bool = False) -> T:
    """Run an effect of your own once per turn: a later attempt of the turn gets the recorded result.

    `given` is what the effect depends on; with the name it identifies the step. Result and `given` must be JSON.
    Outside of a durable turn `run` is simply called. With `repeatable=True` a call that was open when its process
    died is made again; otherwise that is an error.

    Raises:
        StepOutcomeUnknownError: an earlier attempt died while the unrepeatable call was open.
    """
    turn = current_turn.get()
    if turn is None:
        return await run()

    async def call(_: str) -> T:
        return await run()

    spec: StepSpec[T] = StepSpec(
        kind="effect",
        name=name,
        input=json.dumps(given, sort_keys=True).encode(),
        encode=lambda value: json.dumps(value).encode(),
        decode=json.loads,
        repeatable=repeatable,
    )
    return await turn.step(spec, call)
