"""Actors: agents, subscriptions and runtimes used in a way that cannot work."""

from __future__ import annotations

from agentopic.errors.configuration import ConfigError
from agentopic.errors.root import AgentopicError


class InvalidNameError(AgentopicError, ValueError):
    """Raised when an agent type, a topic type or the text of an id has characters or a form that is not allowed."""


class RegistrationError(ConfigError, ValueError):
    """Raised when an agent, factory, handler or subscription cannot be registered as given."""


class ContextError(AgentopicError, RuntimeError):
    """Raised when something is asked that only exists while a factory, subscription or handler runs."""


class RuntimeStateError(AgentopicError, RuntimeError):
    """Raised when a runtime or agent is not in the state a call needs (started, stopped, bound)."""


class UserInputError(AgentopicError, RuntimeError):
    """Raised when a person cannot be asked, or the function that asks fails; carries its text."""


class AgentClassError(AgentopicError, TypeError):
    """Raised when an agent is asked for as a class it is not an instance of."""
