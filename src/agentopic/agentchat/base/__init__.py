"""The interfaces of agents and what runs tasks, as in `autogen_agentchat.base`."""

from agentopic.agentchat.base._chat_agent import ChatAgent, Response
from agentopic.agentchat.base._handoff import Handoff
from agentopic.agentchat.base._task import TaskResult, TaskRunner
from agentopic.agentchat.base._team import Team
from agentopic.agentchat.base._termination import (
    AndTerminationCondition,
    OrTerminationCondition,
    TerminatedException,
    TerminationCondition,
)

__all__ = [
    "AndTerminationCondition",
    "ChatAgent",
    "Handoff",
    "OrTerminationCondition",
    "Response",
    "TaskResult",
    "TaskRunner",
    "Team",
    "TerminatedException",
    "TerminationCondition",
]
