"""Agents made for Magentic-One, as in `autogen_ext.agents.magentic_one`."""

from agentopic.ext.agents.magentic_one._coder_agent import MagenticOneCoderAgent

__all__ = ["MagenticOneCoderAgent"]
