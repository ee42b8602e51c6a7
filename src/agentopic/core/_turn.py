"""`TurnScope`: the hook through which models, tools, waits and ids inside a durable turn reach the engine."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, Literal, Protocol, TypeVar

from agentopic.core._call_usage import CallUsage
from agentopic.core._terminal import ask_on_terminal
from agentopic.core._waiting_clock import held_clock
from agentopic.errors import ContextError

T = TypeVar("T")

StepKind = Literal["model", "tool", "effect", "saga", "request", "timer", "human"]
"""What a step does; decides what an intent without a result means on a later attempt.

A turn that has begun steps of kind `saga` is run even when it was cancelled: it may have to undo them.
"""

OnUnknown = Literal["tell", "ask", "retry"]
"""What is done about an unrepeatable call that was open when its process died.

`tell`: an error says that the outcome is unknown (a model is told so). `ask`: a person decides. `retry`: call again.
"""


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
    on_unknown: OnUnknown | None = None
    """For an unrepeatable call; None: as the service says."""
    told: Callable[[Any], bytes] | None = None
    """Turns a person's word for the result of an unknown call (JSON) into the bytes the journal keeps; None: that
    word is the result."""
    endpoint: str = ""
    """What is called, where calls of several names share limits and failures; empty: the name."""
    usage: Callable[[T], CallUsage | None] | None = None
    """Tells what a fresh result has cost; None for calls that cost nothing. Only such steps are billed."""
    estimate: Callable[[], int] | None = None
    """Roughly how many tokens the call's input has, for limits that must be judged before it is made."""


class Restart:
    """Stands for the beginning of a stream that is opened again: what it gave before is void."""


RESTART: Final = Restart()


class TurnScope(Protocol):
    """What a durable turn offers to the code that runs inside it."""

    @property
    def fencing_token(self) -> int:
        """A number that rises with each taking of this agent by a process.

        A store that keeps the highest one it has seen, and refuses lower ones, is safe from a process that has lost
        the agent without knowing it.
        """
        ...

    async def step(self, spec: StepSpec[T], run: Callable[[str], Awaitable[T]]) -> T:
        """Return the recorded result of this step, or run it once and record its result.

        `run` is given the idempotency key derived from the step. A step opened while another step of the
        same task is running is part of that outer step and runs plainly.

        Raises:
            StepOutcomeUnknownError: an unrepeatable call was open when an earlier attempt died.
            TurnClosedError: the turn has already finished.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, through restarts; a waiting turn holds no slot."""
        ...

    async def ask(
        self,
        text: str,
        *,
        choices: Sequence[str] | None = None,
        details: Any = None,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Ask a person and return the answer, a JSON value; waits through restarts, for ever unless limited.

        Raises:
            QuestionTimeoutError: nobody has answered within `timeout_seconds`.
        """
        ...

    def is_known(self, spec: StepSpec[Any]) -> bool:
        """Whether the next step with this spec was begun by an earlier attempt, with or without a result."""
        ...

    def number(self, name: str) -> int:
        """How often this name was counted at this place of the turn, this time included; the same on every attempt."""
        ...

    def hold(self) -> None:
        """Have a cancellation not end this turn: it is only told by `is_cancelled`, until as many `release`."""
        ...

    def settle(self) -> None:
        """Have waits last in a held turn that is cancelled, until `release`: it brings something to an end."""
        ...

    def release(self) -> None:
        """Take one `hold` back: a cancellation that has come meanwhile takes effect with the last one."""
        ...

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants this turn's work any more."""
        ...

    def preview(self, spec: StepSpec[Any], item: Any) -> None:
        """Show an item of a running step's stream to whoever looks, or `RESTART`; best effort, returns at once."""
        ...

    def now(self) -> datetime:
        """The time of this point of the turn, aware, UTC; the same on every attempt."""
        ...

    def new_id(self) -> str:
        """A fresh id; a later attempt of the turn draws the same sequence of ids."""
        ...


current_turn: ContextVar[TurnScope | None] = ContextVar("agentopic_current_turn", default=None)
"""The durable turn this task runs in, or None outside of one."""

current_path: ContextVar[tuple[str, ...]] = ContextVar("agentopic_step_path", default=())
"""Where in its turn this task is: participants, tool calls; part of every step's key."""


@contextmanager
def step_path(name: str) -> Generator[None]:
    """Give the steps inside keys of their own: branches that do the same thing never take each other's results."""
    token = current_path.set((*current_path.get(), name))
    try:
        yield
    finally:
        current_path.reset(token)


def mint_id() -> str:
    """A new id: from the turn inside a durable turn, so that a later attempt mints the same; random outside."""
    turn = current_turn.get()
    return str(uuid.uuid4()) if turn is None else turn.new_id()


def mint_time() -> datetime:
    """The current UTC time: from the turn inside a durable turn, from the clock outside."""
    turn = current_turn.get()
    return datetime.now(UTC) if turn is None else turn.now()


async def step(
    name: str,
    run: Callable[[], Awaitable[T]],
    *,
    given: Any = None,
    repeatable: bool = False,
    on_unknown: OnUnknown | None = None,
) -> T:
    """Run an effect of your own once per turn: a later attempt of the turn gets the recorded result.

    `given` is what the effect depends on; with the name it identifies the step. Result and `given` must be JSON.
    Outside of a durable turn `run` is simply called. With `repeatable=True` a call that was open when its process
    died is made again; otherwise `on_unknown` says what happens, and by default that is an error.

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
        on_unknown=on_unknown,
    )
    return await turn.step(spec, call)


def fencing_token() -> int:
    """Return a number that rises with each taking of the running agent by a process; for code inside a durable turn.

    An agent is a distributed lock: one process at a time runs its turns. A process that has lost it without knowing
    (stopped for longer than the lease, cut off from the journal) may still write outside. A store that keeps the
    highest token it has seen, and refuses lower ones, is safe from it.

    Raises:
        ContextError: no durable turn runs here.
    """
    turn = current_turn.get()
    if turn is None:
        raise ContextError("fencing_token() is for handlers that run on a durable runtime: nothing is leased here")
    return turn.fencing_token


async def sleep(seconds: float) -> None:
    """Wait; inside a durable turn through restarts, by the journal's clock, and without holding a slot."""
    turn = current_turn.get()
    with held_clock():
        if turn is None:
            await asyncio.sleep(seconds)
        else:
            await turn.sleep(seconds)


async def ask(
    text: str,
    *,
    choices: Sequence[str] | None = None,
    details: Any = None,
    timeout_seconds: float | None = None,
) -> Any:
    """Ask a person and return the answer, a JSON value.

    Inside a durable turn the question is published and kept until somebody answers it, whatever is restarted
    meanwhile, and there is no time-out unless `timeout_seconds` sets one. Outside of one it is asked on the terminal.
    `choices` are the answers to choose from, `details` anything JSON that helps to decide.

    Raises:
        TimeoutError: nobody has answered in time; inside a durable turn a QuestionTimeoutError.
    """
    turn = current_turn.get()
    with held_clock():
        if turn is None:
            async with asyncio.timeout(timeout_seconds):
                return await ask_on_terminal(text, choices=choices, details=details)
        return await turn.ask(text, choices=choices, details=details, timeout_seconds=timeout_seconds)
