"""Predecessors: what earlier attempts of a turn recorded, and the turns of the same event before a redrive."""

from __future__ import annotations

from collections.abc import Mapping

from agentopic.engine.delivery import Delivery, identity
from agentopic.engine.faults import fault_error
from agentopic.engine.step_records import read_record
from agentopic.engine.writer import Writer
from agentopic.envelope import attributes as names
from agentopic.envelope import json
from agentopic.ports.journal import Started, StepRow

PREDECESSORS = 100
"""How many earlier redrives are looked at: the number comes with the event, and anyone can write it."""


class Predecessors:
    """Reads recorded steps."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def recorded(self, started: Started, delivery: Delivery) -> tuple[Mapping[bytes, StepRow], bytes]:
        """Return the recorded steps of a turn, and the identity under which the keys of its steps are derived.

        A redriven delivery uses the steps of its predecessors again, from the last one on that was sent as fresh:
        what succeeded is not called a second time, what failed is.
        """
        rows: dict[bytes, StepRow] = {}
        root = started.identity
        redrive = delivery.envelope.agredrive
        if redrive > 0:
            fresh = _fresh_from(delivery)
            root = _identity(delivery, fresh)
            for earlier in range(max(fresh, redrive - PREDECESSORS), redrive):
                rows |= _successes(await self._read(_identity(delivery, earlier)))
        if started.attempts > 1:
            rows |= await self._read(started.identity)
        return rows, root

    async def _read(self, turn: bytes) -> dict[bytes, StepRow]:
        rows = await self._writer.read(lambda: self._writer.journal.recorded(turn))
        return {row.key: row for row in rows}


def _fresh_from(delivery: Delivery) -> int:
    """Return the redrive number from which on recorded steps count: 0 unless the delivery says otherwise."""
    text = delivery.envelope.extensions.get(names.AGFRESH)
    said = int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 10 else 0
    return min(said, delivery.envelope.agredrive)


def _identity(delivery: Delivery, redrive: int) -> bytes:
    return identity(delivery.agent, delivery.envelope.with_extensions(agredrive=redrive or None))


def _successes(rows: Mapping[bytes, StepRow]) -> dict[bytes, StepRow]:
    return {key: row for key, row in rows.items() if row.result is None or not _has_failed(row.kind, row.result)}


def _has_failed(kind: str, result: bytes) -> bool:
    record = read_record(result)
    if record.failed or kind != "request":
        return record.failed
    # What has been answered with a fault was answered, and has failed all the same.
    return fault_error(json.loads(record.payload, max_bytes=1 << 30)) is not None
