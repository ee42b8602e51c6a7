"""The record that carries a stored answer to one asking address."""

from __future__ import annotations

from agentopic.ports.journal import Answer, OutboxRow, ReplyAddress


def reply_row(answer: Answer, address: ReplyAddress) -> OutboxRow:
    """Return the record to publish for one address."""
    return OutboxRow(
        topic=address.topic,
        key=answer.key,
        value=answer.value,
        headers=answer.headers,
        partition=address.partition,
    )
