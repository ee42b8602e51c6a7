"""Showing a run to a person, as in `autogen_agentchat.ui`."""

from agentopic.agentchat.ui._console import Console
from agentopic.agentchat.ui._user_input_manager import UserInputManager

__all__ = ["Console", "UserInputManager"]
