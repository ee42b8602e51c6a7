"""The record of outside calls, open questions, and the states that commits wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentopic.adapters.journal.postgres.commands import intent_columns, result_columns, spend_columns
from agentopic.adapters.journal.postgres.link import Link, Row
from agentopic.ports.journal import (
    AgentState,
    Question,
    Spend,
    StepIntent,
    StepResult,
    StepRow,
    StoredRow,
)


class PostgresSteps:
    """The steps, states and spending part of the journal."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        """Store intents and return the rows as stored, in order; None where the token no longer matches."""
        rows = await self._link.invoke("open_steps", me, *intent_columns(intents))
        found = {row["ord"]: row for row in rows}
        stored = [(found.get(number), intent) for number, intent in enumerate(intents, 1)]
        return [None if row is None else _opened(row, intent) for row, intent in stored]

    async def close_steps(self, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
        """Store results where none is stored and return what is stored now, in order: the first writer wins.

        The steps of a finished turn are gone and stay gone: its late results are returned as they came.
        """
        rows = await self._link.invoke("close_steps", me, *result_columns(results))
        return [_closed(row, result) for row, result in zip(rows, results, strict=True)]

    async def questions(self, groups: Sequence[str]) -> Sequence[Question]:
        """Return the open questions of these groups' unfinished turns, oldest first."""
        rows = await self._link.invoke("questions", list(groups))
        return [
            Question(group=group, key=key, turn=turn, step=step, note=note, asked_ms=asked_ms)
            for group, key, turn, step, note, asked_ms in rows
        ]

    async def recorded(self, turn: bytes) -> Sequence[StepRow]:
        """Return the steps of a turn, in the order of their intents."""
        return [_step_row(row, row["result"]) for row in await self._link.invoke("recorded", turn)]

    async def load(self, lane: bytes) -> AgentState | None:
        """Return the state of the agent whose lane this is; None when none was ever stored."""
        for version, snapshot, events in await self._link.invoke("load", lane):
            return AgentState(version=version, snapshot=snapshot, events=tuple(events))
        return None

    async def spend(self, me: int, entries: Sequence[Spend]) -> None:
        """Add entries to their scopes."""
        await self._link.invoke("spend", me, *spend_columns([(0, entry) for entry in entries]))

    async def spent(self, scopes: Sequence[str]) -> Mapping[str, Spend]:
        """Return the counts of these scopes; zeros where nothing was ever added."""
        rows = await self._link.call("SELECT * FROM spend WHERE scope = ANY ($1)", list(scopes))
        found = {row["scope"]: _spend(row) for row in rows}
        return {scope: found.get(scope) or Spend(scope=scope) for scope in scopes}


def _opened(row: Row, intent: StepIntent) -> StepRow:
    ids: Sequence[int] = row["row_ids"] or ()
    rows = tuple(StoredRow(row_id, intent.lane, sent) for row_id, sent in zip(ids, intent.outbox, strict=False))
    return _step_row(row, row["result"], fresh=row["fresh"], rows=rows)


def _closed(row: Row, result: StepResult) -> StepRow:
    if row["key"] is None:
        return StepRow(key=result.key, kind="", name="", result=None if row["refused"] else result.result)
    return _step_row(row, None if row["refused"] else row["result"])


def _step_row(row: Row, result: bytes | None, *, fresh: bool = False, rows: tuple[StoredRow, ...] = ()) -> StepRow:
    return StepRow(
        key=row["key"],
        kind=row["kind"],
        name=row["name"],
        result=result,
        fresh=fresh,
        due_ms=row["due_ms"],
        remaining_seconds=row["remaining"],
        rows=rows,
    )


def _spend(row: Row) -> Spend:
    counts = dict(row.items())
    counts.pop("at")
    return Spend(**counts)
