"""Every error class of agentopic, under one root; the engine decides by `retryable` and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AgentopicError(Exception):
    """Root of all errors raised by agentopic."""

    retryable: ClassVar[bool] = False
    """Whether the same call may succeed later without a change to code, data or settings."""


# ── configuration: the process stops at start, with one line and an exit code ──────────────────────────────


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

    path: str = ""


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


class UnreachableError(AgentopicError):
    """Raised when a broker, database or service does not answer at start (exit code 3)."""

    retryable = True


# ── actors: agents, subscriptions and runtimes used in a way that cannot work ───────────────────────────────


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


# ── envelope and payload: what arrives cannot be understood ────────────────────────────────────────────────


class EnvelopeError(AgentopicError):
    """Raised when bytes are not a valid CloudEvent."""


class EnvelopeTooLargeError(EnvelopeError):
    """Raised before parsing when an event exceeds the configured size."""


class PayloadError(AgentopicError):
    """Raised when the data of a valid CloudEvent is not what its type declares."""


class UnknownPayloadTypeError(PayloadError):
    """Raised when no payload class is known for an event type."""


class MessageFormatError(PayloadError, ValueError):
    """Raised when a dumped chat message cannot be read back; says at which place of the dump."""


class DuplicatePayloadTypeError(ConfigError):
    """Raised when two classes claim one payload type name."""


# ── delivery: an envelope cannot be handled ────────────────────────────────────────────────────────────────


class DeliveryError(AgentopicError):
    """Raised when an envelope cannot be handled by the agent it is meant for."""


class UnknownAgentError(DeliveryError, LookupError):
    """Raised when a message is for an agent type that is not registered."""


class UnregisteredInstanceError(UnknownAgentError, RuntimeError):
    """Raised when a message is for a key of an instance-only agent type under which no instance is registered."""


class CantHandleError(DeliveryError):
    """Raised when an agent or subscription is given something it cannot handle."""


class UndeliverableError(DeliveryError):
    """Raised when a message can no longer be delivered, for example because its runtime has stopped."""


class MessageDroppedError(DeliveryError):
    """Raised at the sender when an intervention handler drops its message or the answer to it."""


class NotAccessibleError(DeliveryError):
    """Raised when an agent exists but its object cannot be reached from here."""


class HandlerContractError(DeliveryError, ValueError):
    """Raised when a handler returns something that its signature does not declare."""


class HopLimitError(DeliveryError):
    """Raised when an event has passed more than the allowed number of agents: a loop."""


class CrashLimitError(DeliveryError):
    """Raised when a delivery was running, alone in the gate, each time its process died: it kills processes."""


class ExpiredError(DeliveryError):
    """Raised when an event's `expirytime` had passed before its handler could start."""


class AttemptsExhaustedError(DeliveryError):
    """Raised when a delivery failed as often as its retry policy allows."""


class RetryLater(DeliveryError):  # noqa: N818 - one of the two words users steer with
    """Raised by a handler, on purpose, to have the same delivery tried again after `delay_seconds`."""

    retryable = True

    def __init__(self, reason: str, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds
        super().__init__(reason)


class Reject(DeliveryError):  # noqa: N818 - one of the two words users steer with
    """Raised by a handler, on purpose, to send the delivery to the dead letters without another attempt."""


class RedriveError(DeliveryError):
    """Raised when a dead letter cannot be sent again: it holds no event, or a command, or has no agent."""


class UnknownLetterError(DeliveryError, LookupError):
    """Raised when a dead letter is named that is not in its topic."""


class UnknownQuestionError(DeliveryError, LookupError):
    """Raised when a question is named that is not open: there is none of that name, or it has been answered."""


class TurnClosedError(DeliveryError):
    """Raised when a publish, send or step is called after its turn has finished."""


class StepOutcomeUnknownError(DeliveryError):
    """Raised in place of a result when an unrepeatable call was open at a crash and may or may not have happened."""


class StepFailedError(DeliveryError):
    """Raised in place of a result when a recorded call failed for good on an earlier attempt."""

    def __init__(self, message: str, error_type: str) -> None:
        self.error_type = error_type
        super().__init__(message)


class DivergedError(DeliveryError):
    """Raised when code that changed during a turn would repeat an unrepeatable call, and a person said to give up."""


class SagaUndoneError(DeliveryError):
    """Raised when the block of a saga failed and everything it had done was undone."""


class SagaNotUndoneError(SagaUndoneError):
    """Raised when the block of a saga failed and something it had done could not be undone.

    `left` says what: the reason by the name of the deed.
    """

    def __init__(self, message: str, left: Mapping[str, str]) -> None:
        self.left = dict(left)
        super().__init__(message)


class BudgetExceededError(DeliveryError):
    """Raised in place of a model call when a budget is used up and a person has decided not to raise it."""


class RequestError(DeliveryError):
    """Raised at the caller when a request ends without a reply; carries the callee's fault."""

    error_type: str = ""
    """The class name of what ended the request; empty where this class says it."""


class RequestCancelledError(RequestError):
    """Raised at the caller when its request, or the run it belongs to, was cancelled."""


class RequestTimeoutError(RequestError):
    """Raised at the caller when a request's deadline passes without an answer."""

    retryable = True


class QuestionTimeoutError(RequestError, TimeoutError):
    """Raised at a question to a person that nobody has answered within the time its asker set."""


class OwnerGoneError(RequestError):
    """Raised at the caller when the agent it asks has ended with its process, or its process does not say a word."""


class CallCycleError(RequestError):
    """Raised when an agent waits, directly or through others, for itself: one handler at a time runs per agent."""


# ── ports: transport, journal ──────────────────────────────────────────────────────────────────────────────


class TransportError(AgentopicError):
    """Raised when the transport cannot do what was asked."""

    retryable = True


class RecordRefusedError(TransportError):
    """Raised when the broker refuses one record for good (too large, unknown topic, not authorised)."""

    retryable = False


class OffsetOutOfRangeError(TransportError):
    """Raised when a read position lies outside what the log holds (truncated, re-created, past retention)."""

    retryable = False

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        super().__init__(f"{topic}[{partition}] holds no offset {offset}")


class JournalError(AgentopicError):
    """Raised when the journal cannot do what was asked."""

    retryable = True


class JournalUnavailableError(JournalError):
    """Raised when the outcome of a journal call is unknown: the connection broke before the answer came."""


class ValueRefusedError(JournalError):
    """Raised when the database refuses a value of a call for good; the caller halves the call down to the culprit."""

    retryable = False


class ProcessBuriedError(JournalError):
    """Raised when the journal has declared this process dead; its turns unwind and it joins anew."""

    retryable = False


class JournalRewoundError(ProcessBuriedError):
    """Raised when the journal has lost its last moments: what this process knows of it is void, and it joins anew."""


class LaneLostError(JournalError):
    """Raised when a token no longer matches: another process holds the lane, this attempt is void."""

    retryable = False


class StateVersionError(JournalError):
    """Raised when an agent's stored state or events are of a version its code cannot read: newer, or never up-cast.

    Nothing is given up for it: the delivery waits until code that can read them is deployed.
    """


class StillRunningError(JournalError):
    """Raised when something needs all processes of an agent type stopped and one is still alive."""


class StateFileError(AgentopicError):
    """Raised when a file of exported state is cut short, altered, of another version or of another namespace."""


# ── blobs: payloads too large to travel ────────────────────────────────────────────────────────────────────


class BlobError(AgentopicError):
    """Raised when a payload that does not travel with its event cannot be had."""


class BlobUnavailableError(BlobError):
    """Raised when the blob store does not answer."""

    retryable = True


class BlobMissingError(BlobError):
    """Raised when the blob store does not hold a payload: it may be another store than the sender's."""

    retryable = True


class BlobCorruptError(BlobError):
    """Raised when stored bytes are not those their content hash names."""


# ── teams ──────────────────────────────────────────────────────────────────────────────────────────────────


class TeamError(AgentopicError, RuntimeError):
    """Raised where a team's run cannot go on: a participant or its manager failed, or a speaker does not exist.

    The text holds class, message and traceback of the original error where there is one; its class and message
    are `error_type` and `error_message`, too.
    """

    def __init__(self, message: str, error_type: str = "", error_message: str = "") -> None:
        self.error_type = error_type
        self.error_message = error_message
        super().__init__(message)


# ── models ─────────────────────────────────────────────────────────────────────────────────────────────────


class ModelError(AgentopicError):
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


# ── tools, code executors, memories: what an agent uses outside of itself ────────────────────────────────────


class ToolError(AgentopicError):
    """Raised when a tool cannot do what was asked; the model is told the text."""


class AddressRefusedError(ToolError, PermissionError):
    """Raised when a network tool is led to an address or scheme that it may not open."""


class ToolConnectionError(ToolError, ConnectionError):
    """Raised when the server of a tool cannot be reached, or breaks off."""

    retryable = True


class ToolTimeoutError(ToolConnectionError, TimeoutError):
    """Raised when the server of a tool does not answer, or does not end its answer, in time."""


class ToolAnswerError(ToolError, ValueError):
    """Raised when the answer to a tool cannot be used: too large, binary, broken, or not what it says it is."""


class PatchError(ToolError, ValueError):
    """Raised when a patch is no unified diff, or does not fit the text it is for."""


class McpError(ToolError):
    """Raised when an MCP server refuses a call, or answers with what is not MCP."""


class McpConnectionError(McpError, ToolConnectionError):
    """Raised when an MCP server cannot be started or reached, or dies."""


class McpTimeoutError(McpConnectionError, ToolTimeoutError):
    """Raised when an MCP server does not answer in time."""


class CodeExecutorError(ToolError, RuntimeError):
    """Raised when a code executor cannot run code: not started, or what it runs on fails."""


class CodeExecutorUnavailableError(CodeExecutorError):
    """Raised when this machine lacks what a code executor runs on; says what to install or start."""


class MemoryStoreError(AgentopicError):
    """Raised when the store behind a memory does not answer or holds what is not a memory."""

    retryable = True


# ── tools ──────────────────────────────────────────────────────────────────────────────────────────────────


class ToolCallError(AgentopicError):
    """Raised when a tool call ends by its limits; a model that made the call is told."""


class ToolTimeoutError(ToolCallError, TimeoutError):
    """Raised when a tool takes longer than its `timeout_seconds` (600 s unless set)."""


class ToolResultTooLargeError(ToolCallError, ValueError):
    """Raised when the text of a tool's result is longer than its `max_result_characters` (1,000,000 unless set)."""


# ── test bed: a real server for tests cannot be had or does not run ────────────────────────────────────────


class BedError(AgentopicError):
    """Raised when a server of the test bed does not start or stop as it should; carries the end of its log."""


class BedUnavailableError(BedError):
    """Raised when this machine lacks what a server of the test bed is made of; says what to install."""


# ── demo ───────────────────────────────────────────────────────────────────────────────────────────────────


class DemoError(AgentopicError):
    """Raised when a process of the demo does not do its part, so that there is nothing to count."""
