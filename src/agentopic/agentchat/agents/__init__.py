"""Agents, as in `autogen_agentchat.agents`."""

from agentopic.agentchat.agents._assistant_agent import AssistantAgent
from agentopic.agentchat.agents._base_chat_agent import BaseChatAgent

__all__ = ["AssistantAgent", "BaseChatAgent"]
