"""The journal port, by capability."""

from agentopic.ports.journal.journal import Journal
from agentopic.ports.journal.lanes import (
    Answer,
    Backlog,
    Committed,
    Holdings,
    Incoming,
    IntakeBatch,
    Intaken,
    Lanes,
    MarkAdvance,
    Outcome,
    ReplyAddress,
    Started,
    StateChange,
    TurnDeferred,
    TurnDone,
)
from agentopic.ports.journal.membership import Heart, Membership, Peer
from agentopic.ports.journal.outbox import OutboxRow, StoredRow
from agentopic.ports.journal.states import AgentState, States
from agentopic.ports.journal.steps import StepIntent, StepResult, StepRow, Steps

__all__ = [
    "AgentState",
    "Answer",
    "Backlog",
    "Committed",
    "Heart",
    "Holdings",
    "Incoming",
    "IntakeBatch",
    "Intaken",
    "Journal",
    "Lanes",
    "MarkAdvance",
    "Membership",
    "OutboxRow",
    "Outcome",
    "Peer",
    "ReplyAddress",
    "Started",
    "StateChange",
    "States",
    "StepIntent",
    "StepResult",
    "StepRow",
    "Steps",
    "StoredRow",
    "TurnDeferred",
    "TurnDone",
]
