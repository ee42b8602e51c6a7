"""A model client that remembers answers, as in `autogen_ext.models.cache`."""

from agentopic.ext.models.cache._chat_completion_cache import CHAT_CACHE_VALUE_TYPE, ChatCompletionCache

__all__ = ["CHAT_CACHE_VALUE_TYPE", "ChatCompletionCache"]
