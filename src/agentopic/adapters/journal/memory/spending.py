"""The ledger of the memory journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from agentopic.adapters.journal.memory.store import MemoryStore
from agentopic.adapters.journal.memory.tables import SpendEntry
from agentopic.ports.journal import Spend

_COUNTS = tuple(field.name for field in fields(Spend) if field.name != "scope")


def add(store: MemoryStore, spend: Spend) -> None:
    """Add an entry to its scope."""
    entry = store.spends.get(spend.scope)
    if entry is None:
        store.spends[spend.scope] = SpendEntry(spend=spend, at=store.now())
        return
    sums = {name: getattr(entry.spend, name) + getattr(spend, name) for name in _COUNTS}
    entry.spend, entry.at = replace(entry.spend, **sums), store.now()


def spend(store: MemoryStore, me: int, entries: Sequence[Spend]) -> None:
    """Add entries to their scopes."""
    store.alive(me)
    for entry in entries:
        add(store, entry)


def spent(store: MemoryStore, scopes: Sequence[str]) -> Mapping[str, Spend]:
    """Return the counts of these scopes."""
    return {scope: store.spends[scope].spend if scope in store.spends else Spend(scope=scope) for scope in scopes}
