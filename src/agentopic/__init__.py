"""agentopic: AI agents as durable services on Kafka."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentopic.core import (
        AgentId,
        DefaultTopicId,
        MessageContext,
        RoutedAgent,
        TopicId,
        TypePrefixSubscription,
        TypeSubscription,
        ask,
        event,
        fencing_token,
        message_handler,
        payload,
        rpc,
        saga,
        sleep,
        step,
    )
    from agentopic.durable import DurableRuntime
    from agentopic.durable import agent_runtime as AgentRuntime  # noqa: N812 - the constructor-like name people use
    from agentopic.engine.budget import Budget
    from agentopic.engine.options import EngineOptions, RetryPolicy
    from agentopic.engine.service import AgentService, serve
    from agentopic.envelope import Envelope
    from agentopic.errors import (
        AgentopicError,
        BudgetExceededError,
        CallCycleError,
        ConfigError,
        DeliveryError,
        MissingExtraError,
        MissingTopicError,
        ModelError,
        Reject,
        RequestError,
        RequestTimeoutError,
        RetryLater,
        UnknownAgentError,
        UnreachableError,
    )
    from agentopic.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "AgentId",
    "AgentRuntime",
    "AgentService",
    "AgentopicError",
    "Budget",
    "BudgetExceededError",
    "CallCycleError",
    "ConfigError",
    "DefaultTopicId",
    "DeliveryError",
    "DurableRuntime",
    "EngineOptions",
    "Envelope",
    "MessageContext",
    "MissingExtraError",
    "MissingTopicError",
    "ModelError",
    "Reject",
    "RequestError",
    "RequestTimeoutError",
    "RetryLater",
    "RetryPolicy",
    "RoutedAgent",
    "Settings",
    "TopicId",
    "TypePrefixSubscription",
    "TypeSubscription",
    "UnknownAgentError",
    "UnreachableError",
    "__version__",
    "ask",
    "event",
    "fencing_token",
    "message_handler",
    "payload",
    "rpc",
    "saga",
    "serve",
    "sleep",
    "step",
]

_CORE = (
    "AgentId", "DefaultTopicId", "MessageContext", "RoutedAgent", "TopicId",
    "TypePrefixSubscription", "TypeSubscription", "ask", "event", "fencing_token", "message_handler", "payload",
    "rpc", "saga", "sleep", "step",
)  # fmt: skip
_ERRORS = (
    "AgentopicError", "BudgetExceededError", "CallCycleError", "ConfigError", "DeliveryError", "MissingExtraError",
    "MissingTopicError", "ModelError", "Reject", "RequestError", "RequestTimeoutError", "RetryLater",
    "UnknownAgentError", "UnreachableError",
)  # fmt: skip
# Where each name lives: importing the package costs nothing until a name is used.
_HOMES: dict[str, tuple[str, str]] = {
    **{name: ("agentopic.core", name) for name in _CORE},
    **{name: ("agentopic.errors", name) for name in _ERRORS},
    "AgentRuntime": ("agentopic.durable", "agent_runtime"),
    "AgentService": ("agentopic.engine.service", "AgentService"),
    "Budget": ("agentopic.engine.budget", "Budget"),
    "DurableRuntime": ("agentopic.durable", "DurableRuntime"),
    "EngineOptions": ("agentopic.engine.options", "EngineOptions"),
    "Envelope": ("agentopic.envelope", "Envelope"),
    "RetryPolicy": ("agentopic.engine.options", "RetryPolicy"),
    "Settings": ("agentopic.settings", "Settings"),
    "serve": ("agentopic.engine.service", "serve"),
}


def __getattr__(name: str) -> Any:
    try:
        module, attribute = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    found = getattr(import_module(module), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
