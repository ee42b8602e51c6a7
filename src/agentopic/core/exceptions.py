"""The delivery errors of the actor vocabulary, under the names that AutoGen code catches."""

from __future__ import annotations

from agentopic.errors import CantHandleError as CantHandleException
from agentopic.errors import MessageDroppedError as MessageDroppedException
from agentopic.errors import NotAccessibleError
from agentopic.errors import UndeliverableError as UndeliverableException

__all__ = ["CantHandleException", "MessageDroppedException", "NotAccessibleError", "UndeliverableException"]
