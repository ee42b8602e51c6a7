"""Refused rows: what becomes of an output that the broker will not take, ever."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.engine.deadletters import dead_letter
from agentopic.engine.faults import fault_content
from agentopic.engine.group import AgentGroup
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import decode_record, encode
from agentopic.envelope.kafka_topics import dead_letters, parse_topic
from agentopic.errors import RecordRefusedError
from agentopic.ports.clock import Clock
from agentopic.ports.journal import OutboxRow
from agentopic.ports.transport import Record
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

_SENDER_HEADER = f"ce_{names.AGAGENTSENDERTYPE}"
_KIND_HEADER = f"ce_{names.AGMSGKIND}"


class RefusedRows:
    """Names the row that takes a refused one's place, so that it blocks nobody and its reader is told."""

    def __init__(self, namespace: str, groups: Sequence[AgentGroup], clock: Clock) -> None:
        self._namespace, self._groups, self._clock = namespace, groups, clock

    def instead(self, row: OutboxRow, error: RecordRefusedError) -> OutboxRow | None:
        """Return a fault for the caller of a refused reply, a dead letter for an event, None for what may be lost."""
        if _header(row, _KIND_HEADER) == names.KIND_REPLY:
            return _fault(row, error)
        parsed = parse_topic(row.topic)
        if parsed is not None and parsed.kind in {"dead", "control", "replies", "runs"}:
            log.error("the broker refuses a record", kafka_topic=row.topic, error=str(error))
            return None
        return self._letter(row, error)

    def _letter(self, row: OutboxRow, error: RecordRefusedError) -> OutboxRow:
        record = Record(
            topic=row.topic,
            partition=-1 if row.partition is None else row.partition,
            offset=-1,
            timestamp_ms=-1,
            key=row.key,
            value=row.value,
            headers=row.headers,
        )
        owner = self._sender(row)
        return dead_letter(
            record,
            topic=dead_letters(self._namespace, owner.agent_type),
            group=owner.group,
            error=error,
            attempts=1,
            now=self._clock.now(),
        )

    def _sender(self, row: OutboxRow) -> AgentGroup:
        sender = _header(row, _SENDER_HEADER)
        return next((group for group in self._groups if group.agent_type == sender), self._groups[0])


def _fault(row: OutboxRow, error: RecordRefusedError) -> OutboxRow:
    """Return what a caller is told whose answer cannot travel; the same row, with a fault in place of the reply."""
    log.error("the broker refuses a reply, its caller gets a fault", kafka_topic=row.topic, error=str(error))
    content = fault_content(error)
    reply = decode_record(row.headers, row.value, max_bytes=1 << 62)
    fault = reply.replace(
        type=content.type, datacontenttype=content.datacontenttype, dataschema=None, data=content.data
    ).with_extensions(agmsgkind=names.KIND_FAULT)
    message = encode(fault, key=row.key)
    return OutboxRow(
        topic=row.topic, key=row.key, value=message.value, headers=message.headers, partition=row.partition
    )


def _header(row: OutboxRow, name: str) -> str | None:
    return next((value.decode("utf-8", "replace") for each, value in row.headers if each == name), None)
