"""Agents that chat: assistants, their messages and tools, as in `autogen_agentchat`."""

from typing import Final

ROOT_LOGGER_NAME: Final = "agentopic.agentchat"
EVENT_LOGGER_NAME: Final = "agentopic.agentchat.events"
"""Structured events of agents and teams."""

TRACE_LOGGER_NAME: Final = "agentopic.agentchat"
"""Free-form text for developers."""
