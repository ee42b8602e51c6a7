"""The journal port, by capability."""

from agentopic.ports.journal.control import (
    AnswerQuestion,
    CancelRequest,
    CancelRun,
    Command,
    ControlBatch,
    Controlled,
    Letter,
    Notice,
    PauseLane,
)
from agentopic.ports.journal.journal import Journal
from agentopic.ports.journal.lanes import (
    Answer,
    Backlog,
    Committed,
    Finish,
    Holdings,
    Incoming,
    IntakeBatch,
    Intaken,
    Lanes,
    MarkAdvance,
    Outcome,
    Refusal,
    ReplyAddress,
    Started,
    StateChange,
    TurnDeferred,
    TurnDone,
    TurnParked,
)
from agentopic.ports.journal.membership import Heart, Membership, Peer
from agentopic.ports.journal.outbox import OutboxRow, StoredRow
from agentopic.ports.journal.portable import Cell, PortableRow, Table
from agentopic.ports.journal.requests import RequestRow
from agentopic.ports.journal.spending import Spend
from agentopic.ports.journal.states import AgentState, States
from agentopic.ports.journal.steps import Question, StepIntent, StepResult, StepRow, Steps

__all__ = [
    "AgentState",
    "Answer",
    "AnswerQuestion",
    "Backlog",
    "CancelRequest",
    "CancelRun",
    "Cell",
    "Command",
    "Committed",
    "ControlBatch",
    "Controlled",
    "Finish",
    "Heart",
    "Holdings",
    "Incoming",
    "IntakeBatch",
    "Intaken",
    "Journal",
    "Lanes",
    "Letter",
    "MarkAdvance",
    "Membership",
    "Notice",
    "OutboxRow",
    "Outcome",
    "PauseLane",
    "Peer",
    "PortableRow",
    "Question",
    "Refusal",
    "ReplyAddress",
    "RequestRow",
    "Spend",
    "Started",
    "StateChange",
    "States",
    "StepIntent",
    "StepResult",
    "StepRow",
    "Steps",
    "StoredRow",
    "Table",
    "TurnDeferred",
    "TurnDone",
    "TurnParked",
]
