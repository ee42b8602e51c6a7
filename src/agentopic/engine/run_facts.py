"""Run facts: what `<ns>.runs` tells about a run across all services; written with the commit that decides it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from agentopic.core import AgentId
from agentopic.engine.deadletters import told
from agentopic.engine.delivery import Delivery
from agentopic.envelope import Envelope, agent_source, derive_id
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import runs
from agentopic.ports.journal import OutboxRow, Outcome

QUESTION: Final = "agentopic.RunQuestion.v1"
TERMINAL: Final = "agentopic.RunTerminal.v1"
COST: Final = "agentopic.RunCost.v1"


def run_of(delivery: Delivery) -> str:
    """Return the run a delivery belongs to: the id of its root event."""
    return delivery.envelope.correlationid or delivery.envelope.id


def question_row(delivery: Delivery, question_id: str, note: bytes, *, namespace: str, now: datetime) -> OutboxRow:
    """Return the fact that a run waits for a person. Data: `run`, `agent`, `question`, and `note` as it was asked."""
    data = {"question": question_id, "note": json.loads(note)}
    return _row(delivery, QUESTION, question_id, data, namespace=namespace, now=now)


def cost_row(delivery: Delivery, cost: dict[str, Any], *, namespace: str, now: datetime, part: str) -> OutboxRow:
    """Return the fact that a turn has cost something; `part` tells apart several facts of one delivery."""
    return _row(delivery, COST, part, cost, namespace=namespace, now=now)


def terminal_rows(
    delivery: Delivery, outcome: Outcome, error: BaseException | None, *, namespace: str, now: datetime
) -> tuple[OutboxRow, ...]:
    """Return the one terminal fact of a run that a request from outside has begun; nothing for any other delivery.

    Data: `run`, `agent`, `outcome`, and of a run that failed `error_type` and `message`.
    """
    if not begins_run(delivery):
        return ()
    data: dict[str, Any] = {"outcome": outcome}
    if error is not None:
        data |= {"error_type": type(error).__name__, "message": told(error)}
    return (_row(delivery, TERMINAL, "terminal", data, namespace=namespace, now=now),)


def begins_run(delivery: Delivery) -> bool:
    """Whether a delivery is a request that nothing has caused: its end is the end of its run."""
    return delivery.request_id is not None and delivery.envelope.causationid is None


def _row(delivery: Delivery, kind: str, part: str, data: dict[str, Any], *, namespace: str, now: datetime) -> OutboxRow:
    run, agent, cause = run_of(delivery), delivery.agent, delivery.envelope
    event = _fact(
        namespace,
        agent,
        event_id=derive_id("run", kind, str(agent), cause.source, cause.id, cause.agredrive, part),
        kind=kind,
        run=run,
        data={"run": run, "agent": str(agent), **data},
        now=now,
    )
    message = encode(event, key=run.encode())
    return OutboxRow(topic=runs(namespace), key=message.key, value=message.value, headers=message.headers)


def _fact(
    namespace: str, agent: AgentId, *, event_id: str, kind: str, run: str, data: dict[str, Any], now: datetime
) -> Envelope:
    return Envelope(
        id=event_id,
        source=agent_source(namespace, agent.type, agent.key),
        type=kind,
        subject=run,
        time=now,
        datacontenttype="application/json",
        data=json.dumps(data, separators=(",", ":")).encode(),
        extensions={
            names.CORRELATIONID: run,
            names.AGAGENTSENDERTYPE: agent.type,
            names.AGAGENTSENDERKEY: agent.key,
        },
    )
