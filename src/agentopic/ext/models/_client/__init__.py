"""What the clients of all providers share: the question, the shape of a call, the answer, the failures."""

from agentopic.ext.models._client._answer import AnswerDraft, normalize_name, usage_of
from agentopic.ext.models._client._catalogue import Catalogue, KnownModel
from agentopic.ext.models._client._failure import connection_errors, error_of_status, retry_after
from agentopic.ext.models._client._kept_reasoning import KeptReasoning
from agentopic.ext.models._client._provider_client import (
    DEFAULT_TIMEOUT_SECONDS,
    Assembly,
    ProviderClient,
    seconds_of,
)
from agentopic.ext.models._client._question import Question, ToolChoice, split_system
from agentopic.ext.models._client._repetition import DEFAULT_RETRIES, repeated
from agentopic.ext.models._client._secret_config import to_arguments, to_component_config
from agentopic.ext.models._client._token_estimate import estimate_tokens, prompt_tokens

__all__ = [
    "DEFAULT_RETRIES",
    "DEFAULT_TIMEOUT_SECONDS",
    "AnswerDraft",
    "Assembly",
    "Catalogue",
    "KeptReasoning",
    "KnownModel",
    "ProviderClient",
    "Question",
    "ToolChoice",
    "connection_errors",
    "error_of_status",
    "estimate_tokens",
    "normalize_name",
    "prompt_tokens",
    "repeated",
    "retry_after",
    "seconds_of",
    "split_system",
    "to_arguments",
    "to_component_config",
    "usage_of",
]
