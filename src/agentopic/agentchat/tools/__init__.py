"""Agents and teams as tools, as in `autogen_agentchat.tools`."""

from agentopic.agentchat.tools._agent_tool import AgentTool
from agentopic.agentchat.tools._team_tool import TeamTool

__all__ = ["AgentTool", "TeamTool"]
