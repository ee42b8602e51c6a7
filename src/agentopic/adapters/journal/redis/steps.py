"""Steps of turns, states of agents, the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentopic.adapters.journal.redis.batches import SPEND_COUNTS, intent_words, put_spend, result_words
from agentopic.adapters.journal.redis.membership import RedisMembership
from agentopic.adapters.journal.redis.rows import step_row
from agentopic.adapters.journal.redis.words import Words
from agentopic.adapters.journal.text import check_intents, check_results, check_spending
from agentopic.ports.journal import AgentState, Question, Spend, StepIntent, StepResult, StepRow


class RedisSteps(RedisMembership):
    """What turns record and what agents have become."""

    async def open_steps(self, me: int, intents: Sequence[StepIntent]) -> Sequence[StepRow | None]:
        """Store intents and return the rows as stored."""
        check_intents(intents)
        rows = await self._link.run("open_steps", intent_words(intents), me=me)
        return [None if row is None else step_row(row) for row in rows]

    async def close_steps(self, me: int, results: Sequence[StepResult]) -> Sequence[StepRow]:
        """Store results where none is stored and return what is stored now."""
        check_results(results)
        return list(map(step_row, await self._link.run("close_steps", result_words(results), me=me)))

    async def recorded(self, turn: bytes) -> Sequence[StepRow]:
        """Return the steps of a turn, in the order of their intents."""
        return list(map(step_row, await self._link.run("recorded", (turn,))))

    async def questions(self, groups: Sequence[str]) -> Sequence[Question]:
        """Return the open questions of these groups' unfinished turns, oldest first."""
        found = await self._link.run("questions", (len(groups), *groups))
        return [
            Question(group=group.decode(), key=key.decode(), turn=turn, step=step, note=note, asked_ms=asked_ms)
            for group, key, turn, step, note, asked_ms in found
        ]

    async def load(self, lane: bytes) -> AgentState | None:
        """Return the state of the agent whose lane this is."""
        row = await self._link.run("load", (lane,))
        return None if row is None else AgentState(version=row[0], snapshot=row[1], events=tuple(row[2]))

    async def spend(self, me: int, entries: Sequence[Spend]) -> None:
        """Add entries to their scopes."""
        check_spending(entries)
        words = Words()
        words.each(entries, put_spend)
        await self._link.run("spend", words, me=me)

    async def spent(self, scopes: Sequence[str]) -> Mapping[str, Spend]:
        """Return the counts of these scopes."""
        found = await self._link.run("spent", (len(scopes), *scopes))
        return {
            scope: Spend(scope=scope, **{name: int(count or 0) for name, count in zip(SPEND_COUNTS, row, strict=True)})
            for scope, row in zip(scopes, found, strict=True)
        }
