"""The record of outside calls, and the states that commits wrote."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.adapters.journal.postgres.link import Link, Row
from agentopic.ports.journal import AgentState, StepIntent, StepResult, StepRow


class PostgresSteps:
    """The steps and states part of the journal."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        """Store intents and return the rows as stored, in order; None where the token no longer matches."""
        rows = await self._link.invoke(
            "open_steps",
            me,
            [intent.lane for intent in intents],
            [intent.token for intent in intents],
            [intent.pos for intent in intents],
            [intent.turn for intent in intents],
            [intent.key for intent in intents],
            [intent.kind for intent in intents],
            [intent.name for intent in intents],
        )
        stored = {row["ord"]: _step_row(row) for row in rows}
        return [stored.get(number) for number in range(1, len(intents) + 1)]

    async def close_steps(self, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
        """Store results where none is stored and return what is stored now, in order: the first writer wins.

        The steps of a finished turn are gone and stay gone: its late results are returned as they came.
        """
        rows = await self._link.invoke(
            "close_steps",
            me,
            [result.turn for result in results],
            [result.key for result in results],
            [result.result for result in results],
        )
        stored = {row["ord"]: _step_row(row) for row in rows}
        return [stored.get(number) or _late(result) for number, result in enumerate(results, 1)]

    async def recorded(self, turn: bytes) -> Sequence[StepRow]:
        """Return the steps of a turn, in the order of their intents."""
        rows = await self._link.call(
            "SELECT key, kind, name, result, false AS fresh FROM step WHERE turn = $1 ORDER BY ordinal", turn
        )
        return [_step_row(row) for row in rows]

    async def load(self, lane: bytes) -> AgentState | None:
        """Return the state of the agent whose lane this is; None when none was ever stored."""
        rows = await self._link.call("SELECT version, snapshot FROM agent WHERE id = $1", lane)
        return AgentState(version=rows[0]["version"], snapshot=rows[0]["snapshot"]) if rows else None


def _step_row(row: Row) -> StepRow:
    return StepRow(key=row["key"], kind=row["kind"], name=row["name"], result=row["result"], fresh=row["fresh"])


def _late(result: StepResult) -> StepRow:
    return StepRow(key=result.key, kind="", name="", result=result.result)
