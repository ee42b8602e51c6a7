"""Withdrawal: telling a callee that the turn which asked it does not wait any more."""

from __future__ import annotations

from datetime import datetime

from agentopic.core import AgentId
from agentopic.engine.commands import CancelCommand, command_event, control_row
from agentopic.engine.delivery import Delivery
from agentopic.engine.request_ids import request_id, step_of
from agentopic.engine.run_facts import run_of
from agentopic.envelope import agent_source
from agentopic.ports.journal import OutboxRow


def withdrawal_row(
    namespace: str, delivery: Delivery, recipient: AgentId, key: bytes, *, now: datetime, places: int
) -> OutboxRow:
    """Return the command that ends a request which a turn has asked in the step of this key.

    `places` is the number of partitions in which processes hear what is addressed to their agents.
    """
    asker, run = delivery.agent, run_of(delivery)
    asked_as = request_id(step_of(namespace, delivery, key))
    source = agent_source(namespace, asker.type, asker.key)
    command = CancelCommand(request_id=asked_as, source=source, id=asked_as, run=run)
    event = command_event(namespace, recipient, command, now=now, run=run)
    return control_row(namespace, recipient, event, places=places)
