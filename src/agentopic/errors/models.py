"""Model providers: no usable answer."""

from __future__ import annotations

from agentopic.errors.root import AgentopicError


class ModelError(AgentopicError, RuntimeError):
    """Raised when a model provider does not give a usable answer."""


class ModelUnavailableError(ModelError):
    """Raised on connection errors, 5xx answers and broken answers of a model provider.

    `retry_after_seconds` is how long the provider wishes the caller to wait, when it says so.
    """

    retryable = True

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class ModelTimeoutError(ModelUnavailableError):
    """Raised when a model call exceeds its time-out (30 s unless set)."""


class RateLimitedError(ModelUnavailableError):
    """Raised on 429; `retry_after_seconds` is the provider's wish, when it gave one."""


class ModelRefusedError(ModelError):
    """Raised when a provider refuses a call for good: key, model name, content or parameters."""


class ModelAuthenticationError(ModelRefusedError):
    """Raised when a provider does not accept the key, or the key may not use the model."""


class ContextTooLongError(ModelRefusedError):
    """Raised when the messages and tools of a call do not fit into the model's context window."""


class ContentRefusedError(ModelRefusedError):
    """Raised when the model, or a filter before or behind it, declines what was asked."""


class AnswerTooLongError(ModelError):
    """Raised when an answer is longer than any model's window: something else than a model speaks."""


class CassetteError(AgentopicError):
    """Raised when a recorded conversation with a provider does not hold what is asked of it, or cannot be read."""
