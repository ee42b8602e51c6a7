"""The guard of model calls: budget, then circuit, then rate limit before each; the bill after it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentopic.core._call_usage import CallUsage
from agentopic.core._turn import StepSpec
from agentopic.engine.budget import AgentBudgets
from agentopic.engine.budgets import Budgets, Reservation, raised
from agentopic.engine.circuit import Circuits, verdict
from agentopic.engine.ledger import Account, Ledger
from agentopic.engine.rate_limiting import RateLimiting
from agentopic.engine.step_guards import StepOutcome
from agentopic.engine.turn import Turn
from agentopic.ports.journal import Spend
from agentopic.ports.rate_limits import RateLimit

UNBUDGETED = AgentBudgets()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that was let through."""

    account: Account
    endpoint: str
    limit: RateLimit
    tokens: int
    """What it was admitted with."""
    probe: bool
    reservation: Reservation | None


class ModelGuard:
    """Implements `StepGuard` for steps that are billed; others pass."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        circuits: Circuits,
        rates: RateLimiting,
        budgets: Budgets,
        limits: Mapping[str, AgentBudgets],
    ) -> None:
        self._ledger, self._circuits, self._rates = ledger, circuits, rates
        self._budgets, self._limits = budgets, limits
        self._open: dict[int, dict[int, Call]] = {}
        """By turn and step spec: the calls that were let through and have not ended."""
        self._telling: set[asyncio.Task[None]] = set()

    async def before(self, turn: Turn, spec: StepSpec[Any]) -> None:
        """Wait until the call is within budget, its endpoint works and its rate limit admits it.

        Raises:
            BudgetExceededError: a person has decided that the budget is not raised.
        """
        if spec.usage is None:
            return
        account = self._ledger.account(turn)
        budgets = self._limits.get(turn.delivery.agent.type, UNBUDGETED)
        endpoint, limit = spec.endpoint or spec.name, self._rates.limit(spec)
        tokens = _estimated(spec) if limit.tokens or budgets.are_set else 0
        reservation = None
        if budgets.are_set:
            reservation = await self._budgets.reserve(turn, account, budgets, self._estimate(account, spec, tokens))
        try:
            probe = await self._pass(endpoint, limit, tokens)
        except BaseException:
            self._release(reservation)
            raise
        call = Call(
            account=account, endpoint=endpoint, limit=limit, tokens=tokens, probe=probe, reservation=reservation
        )
        self._open.setdefault(id(turn), {})[id(spec)] = call

    async def _pass(self, endpoint: str, limit: RateLimit, tokens: int) -> bool:
        circuit = self._circuits.of(endpoint)
        while True:
            await circuit.passable()
            await self._rates.admit(endpoint, limit, tokens)
            # The circuit may have opened while the call waited for its turn.
            probe = circuit.enter()
            if probe is not None:
                return probe

    def after(self, turn: Turn, spec: StepSpec[Any], outcome: StepOutcome) -> Sequence[Spend]:
        """Note what the call says about its endpoint and return its bill."""
        call = self._open.get(id(turn), {}).pop(id(spec), None)
        if call is None:
            return raised(spec) if outcome.error is None else ()
        self._circuits.of(call.endpoint).leave(verdict(outcome.error), probe=call.probe)
        if outcome.error is not None:
            self._release(call.reservation)
            self._heed(call.endpoint, outcome.error)
            return ()
        spends = self._ledger.bill(call.account, spec, outcome.value)
        if call.reservation is not None:
            self._budgets.settle(call.reservation, spends)
        if spends and call.limit.tokens is not None:
            used = spends[0].input_tokens + spends[0].output_tokens
            self._tell(self._rates.settle(call.endpoint, call.limit, used - call.tokens))
        return spends

    def forget(self, turn: Turn) -> None:
        """Take back what calls of a turn hold that ends and that were let through and never made."""
        for call in self._open.pop(id(turn), {}).values():
            self._circuits.of(call.endpoint).leave("unknown", probe=call.probe)
            self._release(call.reservation)

    async def settled(self) -> None:
        """Return once the rate limits know what the calls so far have said."""
        if self._telling:
            await asyncio.wait(self._telling)

    def _estimate(self, account: Account, spec: StepSpec[Any], tokens: int) -> Sequence[Spend]:
        usage = CallUsage(input_tokens=tokens, output_tokens=0)
        micros = self._ledger.micros(spec.name, usage) or 0
        return [Spend(scope=scope, calls=1, input_tokens=tokens, micros=micros) for scope in account.scopes]

    def _release(self, reservation: Reservation | None) -> None:
        if reservation is not None:
            self._budgets.settle(reservation, ())

    def _heed(self, endpoint: str, error: BaseException) -> None:
        """Have all turns of this process respect a Retry-After, not only the one that met it."""
        wished = getattr(error, "retry_after_seconds", None)
        if isinstance(wished, int | float) and wished > 0:
            self._tell(self._rates.hold(endpoint, float(wished)))

    def _tell(self, telling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(telling)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


def _estimated(spec: StepSpec[Any]) -> int:
    """Return the tokens of the call's input; 0 when its client cannot count them."""
    if spec.estimate is None:
        return 0
    try:
        return spec.estimate()
    except (NotImplementedError, ValueError):
        return 0
