"""Turns the SDK's errors into ours, so that whoever retries decides by our classes alone."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager

import openai
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from pydantic import ValidationError

from agentopic.errors import ModelError, ModelRefusedError, ModelTimeoutError, ModelUnavailableError
from agentopic.ext.models._client import connection_errors, error_of_status

_TIMEOUTS, _BROKEN = connection_errors()


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
    except _TIMEOUTS as exc:  # the SDK lets those through that come in the middle of a stream
        raise ModelTimeoutError(f"the connection said nothing for too long ({type(exc).__name__})") from exc
    except _BROKEN as exc:
        raise ModelUnavailableError(f"the connection broke: {exc}") from exc
    except (json.JSONDecodeError, ValidationError) as exc:
        raise ModelUnavailableError(f"what came in place of an answer is not JSON: {exc}") from exc


def require_completion(answer: object) -> ChatCompletion:
    """Return the answer as what the SDK declares it to be; a body of another media type it returns as text.

    Raises:
        ModelUnavailableError: something between here and the provider answered in its place.
    """
    if not isinstance(answer, ChatCompletion):
        raise ModelUnavailableError("what came in place of an answer is not JSON")
    return answer


def require_response(answer: object) -> Response:
    """Like `require_completion`, for the responses API.

    Raises:
        ModelUnavailableError: something between here and the provider answered in its place.
    """
    if not isinstance(answer, Response):
        raise ModelUnavailableError("what came in place of an answer is not JSON")
    return answer


def _of_status(error: openai.APIStatusError) -> ModelError:
    return error_of_status(
        error.status_code, str(error), code=str(error.code or ""), headers=dict(error.response.headers)
    )
