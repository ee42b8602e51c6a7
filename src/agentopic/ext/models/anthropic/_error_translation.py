"""Turns the SDK's errors into ours, so that whoever retries decides by our classes alone."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anthropic
from anthropic.types import Message
from pydantic import ValidationError

from agentopic.errors import ModelError, ModelRefusedError, ModelTimeoutError, ModelUnavailableError
from agentopic.ext.models._client import connection_errors, error_of_status

_TIMEOUTS, _BROKEN = connection_errors()
_STATUS_IN_STREAM = {
    "rate_limit_error": 429,
    "overloaded_error": 529,
    "authentication_error": 401,
    "permission_error": 403,
    "invalid_request_error": 400,
    "request_too_large": 413,
    "not_found_error": 404,
}


@contextmanager
def translated_errors() -> Generator[None]:
    """Raise our error in place of the SDK's; its text, which never holds the key, is kept."""
    try:
        yield
    except anthropic.APIStatusError as exc:
        raise _of_status(exc) from exc
    except (anthropic.APITimeoutError, *_TIMEOUTS) as exc:
        raise ModelTimeoutError(f"the provider said nothing for too long ({exc})") from exc
    except anthropic.APIResponseValidationError as exc:
        raise ModelError(f"the provider's answer is not what its API promises: {exc}") from exc
    except (anthropic.APIError, *_BROKEN) as exc:
        raise ModelUnavailableError(f"the connection broke: {exc}") from exc
    except anthropic.AnthropicError as exc:
        raise ModelRefusedError(str(exc)) from exc
    except (json.JSONDecodeError, ValidationError) as exc:
        raise ModelUnavailableError(f"what came in place of an answer is not JSON: {exc}") from exc


def require_message(answer: object) -> Message:
    """Return the answer as what the SDK declares it to be; a body of another media type it returns as text.

    Raises:
        ModelUnavailableError: something between here and the provider answered in its place.
    """
    if not isinstance(answer, Message) or not isinstance(answer.content, list):  # pyright: ignore[reportUnnecessaryIsInstance] - the SDK does not check what it builds
        raise ModelUnavailableError("what came in place of an answer is not JSON, or no message")
    return answer


def _of_status(error: anthropic.APIStatusError) -> ModelError:
    """An error inside a stream has the stream's good status, and says its kind only in its body."""
    kind = _kind(error.body)
    status = error.status_code if error.status_code >= 400 else _STATUS_IN_STREAM.get(kind, 500)
    return error_of_status(status, str(error), code=kind, headers=dict(error.response.headers))


def _kind(body: Any) -> str:
    try:
        return str(body["error"]["type"])
    except (KeyError, TypeError):  # whatever stands between here and the provider may have answered
        return ""
