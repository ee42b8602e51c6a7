"""The ledger: what model calls cost, per run and per agent type and day, kept in the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from agentopic.core._call_usage import CallUsage
from agentopic.core._turn import StepSpec
from agentopic.engine.prices import PriceTable
from agentopic.envelope.kafka_topics import consumer_group
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Spend

if TYPE_CHECKING:
    from agentopic.engine.turn import Turn

MAX_SCOPE_BYTES = 1000
"""A little less than the journal takes: a scope's name becomes a part of others."""


def run_scope(run: str) -> str:
    """Return the scope that counts a run: everything caused by one root event (its `correlationid`)."""
    return _limited("run/", run)


def type_scope(group: str, day: date) -> str:
    """Return the scope that counts an agent type's group on one day, in UTC."""
    return _limited("type/", f"{group}/{day.isoformat()}")


def _limited(kind: str, name: str) -> str:
    scope = kind + name
    if len(scope.encode("utf-8", "surrogatepass")) <= MAX_SCOPE_BYTES:
        return scope
    return f"{kind}sha256:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The two scopes that a turn's calls are counted in."""

    run: str
    day: str

    @property
    def scopes(self) -> tuple[str, str]:
        """Both."""
        return self.run, self.day


class Ledger:
    """Prices fresh results, and collects what else a turn has to be counted for until it is written."""

    def __init__(self, prices: PriceTable, clock: Clock) -> None:
        self._prices, self._clock = prices, clock
        self._uncounted: dict[str, Spend] = {}

    def account(self, turn: Turn) -> Account:
        """Return the scopes of a turn, today."""
        group = consumer_group(turn.namespace, turn.delivery.agent.type)
        return Account(run=run_scope(turn.run), day=type_scope(group, self._clock.now().date()))

    def bill(self, account: Account, spec: StepSpec[Any], value: Any) -> Sequence[Spend]:
        """Return what a fresh result of a paid call has cost; nothing when it cost nothing."""
        usage = spec.usage(value) if spec.usage is not None else None
        if usage is None:
            return ()
        micros = self.micros(spec.name, usage)
        return tuple(
            Spend(
                scope=scope,
                calls=1,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                micros=micros or 0,
                unpriced=int(micros is None),
            )
            for scope in account.scopes
        )

    def micros(self, model: str, usage: CallUsage) -> int | None:
        """Return the cost of a call today in millionths of a dollar; None when it is not known."""
        return self._prices.micros(model, self._clock.now().date(), usage)

    def note(self, account: Account, *, saved: int, unknown: int, diverged: int) -> None:
        """Count what no result carries, to be written by the next flush."""
        if saved or unknown or diverged:
            self.book(Spend(scope=each, saved=saved, unknown=unknown, diverged=diverged) for each in account.scopes)

    def book(self, entries: Iterable[Spend]) -> None:
        """Count what was spent on calls that have no result to carry it, to be written by the next flush."""
        for entry in entries:
            self._uncounted[entry.scope] = added(self._uncounted.get(entry.scope, Spend(scope=entry.scope)), entry)

    def take(self) -> Sequence[Spend]:
        """Return what has been noted since the last time, for the journal."""
        noted, self._uncounted = self._uncounted, {}
        return tuple(noted.values())


def cost_facts(spent: Spend) -> dict[str, Any]:
    """Return the counts of a scope as people read them: money in US dollars."""
    counts: dict[str, Any] = {name: getattr(spent, name) for name in COUNTS if name != "micros"}
    return {**counts, "usd": spent.micros / 1_000_000}


COUNTS = tuple(field.name for field in fields(Spend) if field.name != "scope")
"""The names of what a scope counts."""


def added(total: Spend, entry: Spend) -> Spend:
    """Return a scope's counts with an entry added to them."""
    return Spend(scope=total.scope, **{name: getattr(total, name) + getattr(entry, name) for name in COUNTS})


def greatest(first: Spend, second: Spend) -> Spend:
    """Return the greater of each count."""
    return Spend(scope=first.scope, **{name: max(getattr(first, name), getattr(second, name)) for name in COUNTS})


def by_scope(entries: Iterable[Spend]) -> Mapping[str, Spend]:
    """Return the sum of entries per scope."""
    sums: dict[str, Spend] = {}
    for entry in entries:
        sums[entry.scope] = added(sums.get(entry.scope, Spend(scope=entry.scope)), entry)
    return sums
