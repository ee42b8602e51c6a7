"""Step guards: who may delay, stop and meter the paid calls of a turn (budgets, rate limits, circuits, the ledger)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from agentopic.core._turn import StepSpec
from agentopic.ports.journal import Spend

if TYPE_CHECKING:
    from agentopic.engine.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What came of one call."""

    value: Any = None
    """What the call returned (of a model step a CreateResult); None when it raised."""
    error: BaseException | None = None
    """What it raised; a CancelledError when it was broken off."""
    seconds: float = 0.0
    """How long it took, by the monotonic clock."""


class StepGuard(Protocol):
    """Stands around every outside call of kind `model`, `tool` or `effect`, each retry inside a step included.

    Not called for recorded results, for calls inside another step, nor for requests, timers and questions.
    """

    async def before(self, turn: Turn, spec: StepSpec[Any]) -> None:
        """Return when the call may be made; the slot of the turn is free meanwhile when it takes long.

        Before the first call of a step this runs before the intent is stored, so that a wait here leaves nothing
        open. It may ask a person (`turn.ask`), and raise: an AgentopicError here is the outcome of the call; a
        retryable one counts as a retryable failure of it.
        """
        ...

    def after(self, turn: Turn, spec: StepSpec[Any], outcome: StepOutcome) -> Sequence[Spend]:
        """Note how a call ended and return what it cost; stored with its result, or stray when it has none.

        Called exactly once for each `before` that returned, also when the call was never made.
        """
        ...
