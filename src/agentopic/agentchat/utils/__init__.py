"""Conversions between message contents, as in `autogen_agentchat.utils`."""

from agentopic.agentchat.utils._content import content_to_str, remove_images

__all__ = ["content_to_str", "remove_images"]
