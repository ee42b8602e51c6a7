"""The ledger of the SQLite journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentopic.adapters.journal.sqlite.transaction import Transaction
from agentopic.ports.journal import Spend

# In the order of the columns.
COUNTS = ("calls", "saved", "unknown", "diverged", "input_tokens", "output_tokens", "micros", "unpriced")

_ADD = " ".join(
    (
        "INSERT INTO j_spend VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope) DO UPDATE SET",
        ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS),
        ", at = excluded.at",
    )
)
_SPENT = " ".join(("SELECT scope,", ", ".join(COUNTS), "FROM j_spend WHERE scope IN ({})"))


def add(tx: Transaction, spend: Spend) -> None:
    """Add an entry to its scope."""
    tx.execute(_ADD, spend.scope, *(getattr(spend, name) for name in COUNTS), tx.now)


def spend(tx: Transaction, me: int, entries: Sequence[Spend]) -> None:
    """Add entries to their scopes."""
    tx.check_alive(me)
    for entry in entries:
        add(tx, entry)


def spent(tx: Transaction, scopes: Sequence[str]) -> Mapping[str, Spend]:
    """Return the counts of these scopes."""
    found = {scope: dict(zip(COUNTS, counts, strict=True)) for scope, *counts in tx.rows_of(_SPENT, scopes)}
    return {scope: Spend(scope=scope, **found.get(scope, {})) for scope in scopes}
