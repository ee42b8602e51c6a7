"""Budgets: what is stored and under way is held against the limits; a person decides about a breach."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from agentopic.core._turn import StepSpec
from agentopic.engine.budget import ALLOWANCE, AgentBudgets, Breach, allowance, allowance_scope, measured
from agentopic.engine.ledger import Account, added, by_scope, greatest
from agentopic.engine.spent import SpentReader
from agentopic.engine.turn import Turn
from agentopic.envelope.kafka_topics import consumer_group
from agentopic.errors import BudgetExceededError
from agentopic.ports.journal import Question, Spend

LOOK_SECONDS = 2.0
"""How often a turn looks again that waits for the decision about another turn's question."""
PATIENT_LOOKS = 5
"""How often it looks after that question has gone, before it asks by itself: an answer takes effect a moment later."""
KNOWN_SCOPES = 10_000
"""Scopes whose own spending is kept in memory to bridge the moment until it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What a call under way may cost, until it is known."""

    entries: tuple[Spend, ...]


class Budgets:
    """The limits of all agent types of a process.

    A call is let through when what is stored, what is under way here and its own estimate stay within every limit.
    Calls under way in other processes are not seen: each process may overstep by what it has in flight, never more.
    """

    def __init__(
        self,
        spent: SpentReader,
        questions: Callable[[str], Awaitable[Sequence[Question]]],
        release: Callable[[Breach], Awaitable[None]],
    ) -> None:
        """Have `release` answer whoever else has asked about a budget that has just been raised."""
        self._spent, self._questions, self._release = spent, questions, release
        self._reserved: dict[str, Spend] = {}
        self._seen = OrderedDict[str, Spend]()
        """Per scope, at least so much is spent: a result's cost is known here before the journal has it."""
        self._asking: set[str] = set()
        """The scopes about which a turn of this process asks."""
        self._decided = asyncio.Event()

    async def reserve(
        self, turn: Turn, account: Account, budgets: AgentBudgets, estimate: Sequence[Spend]
    ) -> Reservation:
        """Return once a call with this estimate is within the limits; tell `settle` what it has cost.

        Raises:
            BudgetExceededError: a person has decided that it stops here.
        """
        scopes = [*account.scopes, *map(allowance_scope, account.scopes)]
        patience = 0
        while True:
            stored = await self._spent.read(scopes)
            breach = self._breach(stored, ((account.run, budgets.run), (account.day, budgets.day)), estimate)
            if breach is None:
                return self._reserve(estimate)
            if _has_asked(turn):
                await self._decide(turn, breach)
                continue
            if breach.scope in self._asking or await self._is_open(turn, breach):
                patience = PATIENT_LOOKS
            # Another branch or turn may have begun to ask while the journal was.
            elif patience == 0 and breach.scope not in self._asking:
                await self._decide(turn, breach)
                continue
            patience = max(0, patience - 1)
            await self._look_again()

    def settle(self, reservation: Reservation, spends: Iterable[Spend]) -> None:
        """Put what a call has cost, or nothing, in the place of its reservation."""
        for entry in reservation.entries:
            left = _without(self._reserved[entry.scope], entry)
            if left == Spend(scope=entry.scope):
                del self._reserved[entry.scope]
            else:
                self._reserved[entry.scope] = left
        for entry in spends:
            if entry.scope in self._seen:
                self._seen[entry.scope] = added(self._seen[entry.scope], entry)

    # ── limits ─────────────────────────────────────────────────────────────────────────────────────────────

    def _breach(
        self,
        stored: Mapping[str, Spend],
        limits: Iterable[tuple[str, Any]],
        estimate: Sequence[Spend],
    ) -> Breach | None:
        wanted = by_scope(estimate)
        for scope, budget in limits:
            spent = self._see(stored[scope])
            total = measured(added(added(spent, self._reserved.get(scope, Spend(scope=scope))), wanted[scope]))
            raised = measured(stored[allowance_scope(scope)])
            for measure, limit in budget.limits().items():
                if max(total[measure], measured(spent)[measure] + 1) > limit + raised[measure]:
                    return Breach(scope=scope, measure=measure, limit=limit)
        return None

    def _see(self, stored: Spend) -> Spend:
        seen = self._seen[stored.scope] = greatest(stored, self._seen.get(stored.scope, stored))
        self._seen.move_to_end(stored.scope)
        if len(self._seen) > KNOWN_SCOPES:
            self._seen.popitem(last=False)
        return seen

    def _reserve(self, estimate: Sequence[Spend]) -> Reservation:
        for scope, entry in by_scope(estimate).items():
            self._reserved[scope] = added(self._reserved.get(scope, Spend(scope=scope)), entry)
        return Reservation(entries=tuple(estimate))

    # ── decisions ──────────────────────────────────────────────────────────────────────────────────────────

    async def _is_open(self, turn: Turn, breach: Breach) -> bool:
        """Whether another turn of this agent type has the question open: one answer is enough for all."""
        asked = await self._questions(consumer_group(turn.namespace, turn.delivery.agent.type))
        return any(breach.is_asked_by(json.loads(each.note)) for each in asked if each.key != turn.delivery.agent.key)

    async def _look_again(self) -> None:
        """Return when something has been decided here, or may have been elsewhere."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._decided.wait()

    async def _decide(self, turn: Turn, breach: Breach) -> None:
        self._asking.add(breach.scope)
        try:
            answer = await turn.ask(breach.text, choices=breach.choices, details=breach.details)
            more = breach.allowed(answer)
            if more is None and str(answer).strip().lower() == "stop":
                raise BudgetExceededError(f"{breach.scope} has used up its budget of {breach.amount} {breach.measure}")
            if more is not None:
                await turn.step(_raising(breach, more), _recorded(more))
                await self._release(breach)
        finally:
            self._asking.discard(breach.scope)
            decided, self._decided = self._decided, asyncio.Event()
            decided.set()


def raised(spec: StepSpec[Any]) -> Sequence[Spend]:
    """Return the entry that a step writes which raises a budget; nothing for any other step."""
    if spec.kind != "effect" or spec.name != ALLOWANCE:
        return ()
    given = json.loads(spec.input)
    return (allowance(given["scope"], given["measure"], given["amount"]),)


def _raising(breach: Breach, more: int) -> StepSpec[int]:
    given = {"scope": breach.scope, "measure": breach.measure, "amount": more}
    return StepSpec(
        kind="effect",
        name=ALLOWANCE,
        input=json.dumps(given, sort_keys=True).encode(),
        encode=lambda amount: json.dumps(amount).encode(),
        decode=json.loads,
        repeatable=True,
    )


def _recorded(more: int) -> Callable[[str], Awaitable[int]]:
    async def record(_key: str) -> int:
        return more

    return record


def _has_asked(turn: Turn) -> bool:
    """Whether an earlier attempt of the turn has asked something: the answer may be there, and must be heard."""
    return any(row.kind == "human" for row in turn.steps.log.recorded.values())


def _without(total: Spend, entry: Spend) -> Spend:
    negative = Spend(
        scope=entry.scope,
        calls=-entry.calls,
        input_tokens=-entry.input_tokens,
        output_tokens=-entry.output_tokens,
        micros=-entry.micros,
        unpriced=-entry.unpriced,
    )
    return added(total, negative)
