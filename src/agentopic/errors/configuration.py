"""Configuration: the process stops at start, with one line and an exit code."""

from __future__ import annotations

from agentopic.errors.root import AgentopicError


class ConfigError(AgentopicError):
    """Raised when settings, wiring or an application object cannot work as given (exit code 2)."""


class MissingExtraError(ConfigError):
    """Raised when a chosen adapter needs an optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature = feature
        self.extra = extra
        super().__init__(f"{feature} needs an optional dependency: pip install 'agentopic[{extra}]'")


class MissingTopicError(ConfigError):
    """Raised when a topic is used that does not exist and may not be created here."""

    def __init__(self, kafka_topic: str, remedy: str) -> None:
        self.kafka_topic = kafka_topic
        super().__init__(f"topic {kafka_topic!r} does not exist: {remedy}")


class ComponentError(ConfigError, ValueError, TypeError):
    """Raised when component JSON cannot be loaded or a component cannot be written as JSON.

    `path` is where in the JSON (`config.tools[2].provider`); empty where it is about the whole, or about a dump.
    """

    path: str | None = ""


class ComponentProviderError(ComponentError, ModuleNotFoundError):
    """Raised when the provider of component JSON is not allowed here, does not exist or is no component class."""


class ComponentConfigError(ComponentError):
    """Raised when component JSON is malformed, or its config does not fit its provider."""


class ComponentVersionError(ComponentError, NotImplementedError):
    """Raised when component JSON is of a version that its provider cannot read."""


class ComponentDumpError(ComponentError, NotImplementedError):
    """Raised when a component cannot be written as JSON: its class does not say how."""


class ComponentSourceError(ComponentError):
    """Raised when component JSON carries source code and nobody has allowed it to be run."""


class ComponentCommandError(ComponentError):
    """Raised when component JSON names a command to start and nobody has allowed that."""


class UnreachableError(AgentopicError):
    """Raised when a broker, database or service does not answer at start (exit code 3)."""

    retryable = True
