"""Showing a run to a person in colour, as in `autogen_ext.ui`."""

from agentopic.ext.ui._rich_console import RichConsole

__all__ = ["RichConsole"]
