"""The interfaces of agents and what runs tasks, as in `autogen_agentchat.base`."""

from agentopic.agentchat.base._chat_agent import ChatAgent, Response
from agentopic.agentchat.base._handoff import Handoff
from agentopic.agentchat.base._task import TaskResult, TaskRunner

__all__ = ["ChatAgent", "Handoff", "Response", "TaskResult", "TaskRunner"]
