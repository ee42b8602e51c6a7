"""Delivery: an envelope cannot be handled."""

from __future__ import annotations

from collections.abc import Mapping

from agentopic.errors.root import AgentopicError


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
