"""Hooks: what the turns of a process need from its other parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentopic.core._turn import StepSpec
from agentopic.engine.step_guards import StepGuard
from agentopic.ports.journal import OutboxRow

if TYPE_CHECKING:
    from agentopic.engine.steps import Steps
    from agentopic.engine.turn import Turn


def never_cancelled(_run: str) -> bool:
    """Say of every run that it goes on."""
    return False


def no_withdrawal(_turn: Turn, _recipient: str, _wait_id: str) -> Sequence[OutboxRow]:
    """Withdraw nothing."""
    return ()


def unpublished(_turn: Turn, _question_id: str, _note: bytes) -> Sequence[OutboxRow]:
    """Publish nothing."""
    return ()


def uncounted(_turn: Turn, _steps: Steps) -> None:
    """Count nothing."""


async def unheard(_turn: Turn) -> None:
    """Do nothing about a handler's end."""


def unseen(_turn: Turn, _spec: StepSpec[Any], _item: Any) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnHooks:
    """Given to every dispatcher of a process."""

    guards: Sequence[StepGuard] = ()
    """Around every paid call, in this order."""
    is_cancelled: Callable[[str], bool] = never_cancelled
    """Whether a run (its id) has been cancelled; asked at each start and before each step."""
    withdraw: Callable[[Turn, str, str], Sequence[OutboxRow]] = no_withdrawal
    """Rows that cancel an open request: from its turn, its recipient (`<type>/<key>`) and the id of its wait."""
    asked: Callable[[Turn, str, bytes], Sequence[OutboxRow]] = unpublished
    """Rows that publish a question, from its turn, its id for people and its note; stored with its intent."""
    handled: Callable[[Turn], Awaitable[None]] = unheard
    """Awaited when the handler of a turn with steps has returned, before its end is written; may add to its outbox."""
    ended: Callable[[Turn, Steps], None] = uncounted
    """Told of the end, whatever it is, of every attempt of a turn with steps: `steps.stats` has what was called, saved,
    repeated and diverged."""
    preview: Callable[[Turn, StepSpec[Any], Any], None] = unseen
    """Shows an item of a running step's stream to whoever looks."""
