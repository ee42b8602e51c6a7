"""Turns the SDK's errors into ours, so that whoever retries decides by our classes alone."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager

import openai
from openai.types.chat import ChatCompletion

from agentopic.errors import (
    ModelError,
    ModelRefusedError,
    ModelTimeoutError,
    ModelUnavailableError,
    RateLimitedError,
)

_WORTH_RETRYING = frozenset({408, 409})


@contextmanager
def translated_errors() -> Generator[None]:
    """Raise our error in place of the SDK's; its text, which never holds the whole key, is kept."""
    try:
        yield
    except openai.APIStatusError as exc:
        raise _of_status(exc) from exc
    except openai.APITimeoutError as exc:
        raise ModelTimeoutError(str(exc)) from exc
    except openai.APIResponseValidationError as exc:
        raise ModelError(f"the provider's answer is not what its API promises: {exc}") from exc
    except openai.APIError as exc:  # connection errors, and errors inside a stream
        raise ModelUnavailableError(str(exc)) from exc
    except openai.OpenAIError as exc:
        raise ModelRefusedError(str(exc)) from exc
    except json.JSONDecodeError as exc:  # the SDK lets it through
        raise ModelUnavailableError(f"what came in place of an answer is not JSON: {exc}") from exc


def require_completion(answer: object) -> ChatCompletion:
    """Return the answer as what the SDK declares it to be; a body of another media type it returns as text.

    Raises:
        ModelUnavailableError: something between here and the provider answered in its place.
    """
    if not isinstance(answer, ChatCompletion):
        raise ModelUnavailableError("what came in place of an answer is not JSON")
    return answer


def _of_status(error: openai.APIStatusError) -> ModelError:
    if error.status_code == 429 and error.code != "insufficient_quota":
        return RateLimitedError(str(error), _retry_after(error))
    if error.status_code >= 500 or error.status_code in _WORTH_RETRYING:
        return ModelUnavailableError(str(error))
    return ModelRefusedError(str(error))


def _retry_after(error: openai.APIStatusError) -> float | None:
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        if value.replace(".", "", 1).isdigit():
            return float(value) * unit
    return None
