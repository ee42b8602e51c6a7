"""Magentic-One: an orchestrator that plans, hands out work, and plans anew where that leads nowhere."""

from agentopic.agentchat.teams._group_chat._magentic_one._magentic_one_group_chat import MagenticOneGroupChat
from agentopic.agentchat.teams._group_chat._magentic_one._magentic_one_orchestrator import MagenticOneOrchestrator

__all__ = ["MagenticOneGroupChat", "MagenticOneOrchestrator"]
