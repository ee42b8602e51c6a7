"""Redriving and discarding: what would be done, and doing it at a chosen pace."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agentopic.cli.letter_reading import read_box, read_places
from agentopic.cli.letter_view import letter_row
from agentopic.cli.session import require_topics
from agentopic.engine.letter_desk import Errand, LetterDesk
from agentopic.engine.redrive import RedrivePlan, plan_redrive
from agentopic.envelope.kafka_topics import agent_requests, dead_letters
from agentopic.errors import RedriveError

if TYPE_CHECKING:
    from datetime import datetime

    from agentopic.cli.letter_choice import LetterChoice
    from agentopic.engine.letters import LetterState
    from agentopic.engine.mesh import Mesh
    from agentopic.errors import AgentopicError
    from agentopic.ports.clock import Clock
    from agentopic.ports.transport import Record
    from agentopic.settings import Settings

_BATCH: Final = 100
_COLUMNS: Final = ("letter", "agent", "agent_type", "event_type", "id", "reason")

REDRIVEN: Final = "redriven"
UNFIT: Final = "cannot be redriven"


@dataclass(slots=True)
class Pace:
    """At most so many per second; None: as fast as the log takes them."""

    rate: float | None
    clock: Clock
    _due: float = field(init=False)

    def __post_init__(self) -> None:
        self._due = self.clock.monotonic()

    @property
    def batch(self) -> int:
        """How many may go at once."""
        return _BATCH if self.rate is None else max(1, min(_BATCH, int(self.rate / 10)))

    async def next(self, count: int) -> None:
        """Wait until so many more may go."""
        if self.rate is None:
            return
        wait_seconds = self._due - self.clock.monotonic()
        if wait_seconds > 0:
            await asyncio.sleep(wait_seconds)
        self._due = max(self._due, self.clock.monotonic()) + count / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """A call of `dlq redrive` or `dlq discard`."""

    settings: Settings
    agent_type: str
    choice: LetterChoice
    errand: Errand | None
    """On whose behalf; None when it is only to be shown."""
    redrives: bool
    limit: int | None = None
    fresh: bool = False
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done to which letters."""

    rows: Sequence[dict[str, Any]]
    """One for each letter that is meant; `status` says what would be, and after `carry_out` what was done."""
    due: Mapping[tuple[int, int], tuple[LetterState, RedrivePlan | None]]
    """The letters to be dealt with, by place; with a plan when they are to be redriven."""


async def planned(settling: Settling, mesh: Mesh) -> Job:
    """Return what is to be done to which letters; nothing is done yet.

    Raises:
        MissingTopicError: no service of that type has ever been here.
        UnknownLetterError: a letter is named that is not there.
    """
    box = await read_box(mesh, settling.settings, settling.agent_type)
    states = settling.choice.of(box.states(), settled=False)
    if not settling.redrives:
        return _discards(states, settling.limit)
    return _redrives(states, settling.settings.namespace, mesh.clock.now(), settling.limit)


def _redrives(states: Sequence[LetterState], namespace: str, now: datetime, limit: int | None) -> Job:
    """Return what redriving letters would do, the oldest `limit` of those that can be."""
    rows: list[dict[str, Any]] = []
    due: dict[tuple[int, int], tuple[LetterState, RedrivePlan | None]] = {}
    for state in states:
        row = _row(state)
        if state.status == REDRIVEN:
            rows.append({**row, "status": "already redriven", "detail": _by_whom(state)})
            continue
        try:
            plan = plan_redrive(state.letter, namespace=namespace, now=now)
        except RedriveError as exc:
            rows.append({**row, "status": UNFIT, "detail": str(exc)})
            continue
        if limit is not None and len(due) >= limit:
            continue
        due[state.letter.place] = state, plan
        detail = "its deadline is over: nobody is answered" if plan.unanswered else None
        rows.append({**row, "status": "would be redriven", "to": plan.topic, "redrive": plan.number, "detail": detail})
    return Job(rows=rows, due=due)


def _discards(states: Sequence[LetterState], limit: int | None) -> Job:
    """Return what discarding letters would do, the oldest `limit` of those that are open."""
    rows: list[dict[str, Any]] = []
    due: dict[tuple[int, int], tuple[LetterState, RedrivePlan | None]] = {}
    for state in states:
        if state.status != "open":
            rows.append({**_row(state), "status": f"already {state.status}", "detail": _by_whom(state)})
        elif limit is None or len(due) < limit:
            due[state.letter.place] = state, None
            rows.append({**_row(state), "status": "would be discarded"})
    return Job(rows=rows, due=due)


async def carry_out(job: Job, settling: Settling, errand: Errand, mesh: Mesh) -> bool:
    """Do what a job says, write into its rows what came of it, and return whether all was done."""
    settings = settling.settings
    namespace, max_bytes = settings.namespace, settings.max_event_bytes
    desk = LetterDesk(mesh.transport, mesh.clock, namespace=namespace, errand=errand, max_bytes=max_bytes)
    partitions = 0
    if any(plan is not None and plan.agent is not None for _, plan in job.due.values()):
        requests = agent_requests(namespace, settling.agent_type)
        partitions = (await require_topics(mesh, [requests]))[requests]
    by_name = {row["letter"]: row for row in job.rows}
    for state, _ in job.due.values():
        by_name[state.letter.id]["status"] = "not done"
    pace = Pace(settling.rate, mesh.clock)
    async with aclosing(_batches(mesh, dead_letters(namespace, settling.agent_type), job, pace)) as batches:
        async for batch in batches:
            outcomes = await _settle(batch, desk, partitions, fresh=settling.fresh)
            for (state, plan, _), error in zip(batch, outcomes, strict=True):
                row = by_name[state.letter.id]
                row["status"] = "failed" if error else ("discarded" if plan is None else REDRIVEN)
                row["detail"] = str(error) if error else row.get("detail")
    return not any(row["status"] in {"failed", "not done", UNFIT} for row in job.rows)


async def _settle(
    batch: Sequence[tuple[LetterState, RedrivePlan | None, Record]], desk: LetterDesk, partitions: int, *, fresh: bool
) -> Sequence[AgentopicError | None]:
    plans = [(plan, record) for _, plan, record in batch if plan is not None]
    if plans:
        return await desk.redrive(plans, partitions=partitions, fresh=fresh)
    return await desk.discard([(state.letter, record) for state, _, record in batch])


async def _batches(
    mesh: Mesh, topic: str, job: Job, pace: Pace
) -> AsyncGenerator[list[tuple[LetterState, RedrivePlan | None, Record]]]:
    batch: list[tuple[LetterState, RedrivePlan | None, Record]] = []
    async with aclosing(read_places(mesh, topic, job.due)) as records:
        async for record in records:
            state, plan = job.due[record.partition, record.offset]
            batch.append((state, plan, record))
            if len(batch) >= pace.batch:
                await pace.next(len(batch))
                yield batch
                batch = []
    if batch:
        await pace.next(len(batch))
        yield batch


def current_actor() -> str:
    """Return the name of the user of the operating system."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _row(state: LetterState) -> dict[str, Any]:
    row = letter_row(state)
    return {name: row[name] for name in _COLUMNS}


def _by_whom(state: LetterState) -> str | None:
    settled = state.settlement
    if settled is None:
        return "a later letter of the same event shows it"
    why = "" if settled.why is None else f": {settled.why}"
    return f"by {settled.actor} at {settled.time.isoformat(timespec='seconds')}{why}"
