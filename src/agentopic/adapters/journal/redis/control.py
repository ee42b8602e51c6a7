"""Control and the requests of callers outside a turn."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from agentopic.adapters.journal.redis.batches import control_words, stale_partitions
from agentopic.adapters.journal.redis.membership import RedisMembership
from agentopic.adapters.journal.redis.rows import stored_rows
from agentopic.adapters.journal.redis.words import Words, micros
from agentopic.adapters.journal.text import check_control, check_text
from agentopic.adapters.journal.waiting import RUN_SECONDS
from agentopic.ports.journal import ControlBatch, Controlled, Letter, Notice, Outcome, RequestRow


class RedisControl(RedisMembership):
    """Commands, mail and requests."""

    async def control(self, me: int, batch: ControlBatch) -> Controlled:
        """Apply commands in order, mail to holders included."""
        check_control(batch)
        stale, rows, notices = await self._link.run("control", control_words(batch), me=me)
        return Controlled(
            stale=stale_partitions(batch.marks, stale),
            rows=stored_rows(rows),
            notices=[Notice(process=process, address=address.decode()) for process, address in notices],
        )

    async def mail(self, me: int) -> Sequence[Letter]:
        """Take this process's mail."""
        return [
            Letter(lane=lane, token=token, cancelled=bool(cancelled), paused=bool(paused))
            for lane, token, cancelled, paused in await self._link.run("mail", me=me)
        ]

    async def cancelled_runs(self) -> AbstractSet[str]:
        """Return the runs cancelled within the last day."""
        runs = await self._link.run("cancelled_runs", (micros(RUN_SECONDS),))
        return {run.decode() for run in runs}

    async def open_request(self, me: int, request_id: str, target: str, seconds: float | None) -> RequestRow:
        """Store a request, or return the one found."""
        check_text("request id", request_id)
        check_text("target", target)
        words = Words((request_id, target))
        words.maybe(None if seconds is None else micros(seconds))
        return _request(request_id, await self._link.run("open_request", words, me=me))

    async def close_request(
        self, me: int, request_id: str, outcome: Outcome, value: bytes | None, keep_seconds: float
    ) -> RequestRow:
        """Store how a request ended, where nothing is stored yet, and return the row as it stands."""
        check_text("request id", request_id)
        words = Words((request_id, outcome))
        words.maybe(value)
        words.append(micros(keep_seconds))
        return _request(request_id, await self._link.run("close_request", words, me=me))


def _request(request_id: str, row: list[Any]) -> RequestRow:
    target, remaining, due, outcome, value, fresh = row
    return RequestRow(
        request_id=request_id,
        target=target.decode(),
        remaining_seconds=None if remaining is None else remaining / 1_000_000,
        due_ms=None if due is None else int(due) // 1000,
        outcome=None if outcome is None else outcome.decode(),
        value=value,
        fresh=bool(fresh),
    )
