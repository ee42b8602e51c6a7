"""Control, the mail it leaves, and the requests of callers outside a turn."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from agentopic.adapters.journal.postgres.commands import control_columns
from agentopic.adapters.journal.postgres.link import Link, Row
from agentopic.adapters.journal.postgres.rows import read_rows
from agentopic.ports.journal import ControlBatch, Controlled, Letter, Notice, Outcome, RequestRow


class PostgresControl:
    """The control and requests part of the journal."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def control(self, me: int, batch: ControlBatch) -> Controlled:
        """Advance the marks and apply the commands in order, in one transaction, mail to holders included."""
        (done,) = await self._link.invoke("control", me, batch.group, *control_columns(batch))
        stale: Sequence[int] = done["stale"]
        told = zip(done["processes"], done["addresses"], strict=True)
        return Controlled(
            stale={batch.marks[number - 1].partition for number in stale},
            rows=await read_rows(self._link, done["rows"]),
            notices=[Notice(process=process, address=address) for process, address in told],
        )

    async def mail(self, me: int) -> Sequence[Letter]:
        """Take this process's mail: lanes it holds that were answered, cancelled, paused or resumed."""
        return [
            Letter(lane=lane, token=token, cancelled=cancelled, paused=paused)
            for lane, token, cancelled, paused in await self._link.invoke("take_mail", me)
        ]

    async def cancelled_runs(self) -> AbstractSet[str]:
        """Return the runs cancelled within the last day."""
        rows = await self._link.call("SELECT run FROM run_cancel WHERE at > clock_timestamp() - interval '1 day'")
        return {run for (run,) in rows}

    async def open_request(self, me: int, request_id: str, target: str, seconds: float | None) -> RequestRow:
        """Store a request and return the row: the one found, with its answer, when it was asked before."""
        (row,) = await self._link.invoke("open_request", me, request_id, target, seconds)
        return _request(row)

    async def close_request(
        self, me: int, request_id: str, outcome: Outcome, value: bytes | None, keep_seconds: float
    ) -> RequestRow:
        """Store how a request ended, where nothing is stored yet, and return the row as it stands.

        One that was forgotten stays forgotten: its end is returned as it came.
        """
        for row in await self._link.invoke("close_request", me, request_id, outcome, value, keep_seconds):
            return _request(row)
        return RequestRow(request_id=request_id, target="", remaining_seconds=None, outcome=outcome, value=value)


def _request(row: Row) -> RequestRow:
    request_id, target, remaining, due_ms, outcome, value, fresh = row
    return RequestRow(
        request_id=request_id,
        target=target,
        remaining_seconds=remaining,
        due_ms=due_ms,
        outcome=outcome,
        value=value,
        fresh=fresh,
    )
