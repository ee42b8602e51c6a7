"""A model client that answers from a script, as in `autogen_ext.models.replay`."""

from agentopic.ext.models.replay._replay_client import ReplayChatCompletionClient

__all__ = ["ReplayChatCompletionClient"]
