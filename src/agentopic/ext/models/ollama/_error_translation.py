"""Turns the SDK's errors into ours, so that whoever retries decides by our classes alone."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager

import ollama
from pydantic import ValidationError

from agentopic.errors import ModelRefusedError, ModelTimeoutError, ModelUnavailableError
from agentopic.ext.models._client import connection_errors, error_of_status

_TIMEOUTS, _BROKEN = connection_errors()


@contextmanager
def translated_errors() -> Generator[None]:
    """Raise our error in place of the SDK's and of those of its HTTP library."""
    try:
        yield
    except ollama.ResponseError as exc:
        # An error in the middle of a stream has no status.
        raise error_of_status(exc.status_code if exc.status_code > 0 else 500, str(exc)) from exc
    except ollama.RequestError as exc:
        raise ModelRefusedError(str(exc)) from exc
    except _TIMEOUTS as exc:
        raise ModelTimeoutError(f"the server said nothing for too long ({type(exc).__name__})") from exc
    except (ConnectionError, *_BROKEN) as exc:
        raise ModelUnavailableError(f"the server cannot be reached, or the connection broke: {exc}") from exc
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError, AttributeError, TypeError) as exc:
        # The SDK unpacks whatever JSON it gets into the classes of an answer.
        raise ModelUnavailableError(f"what came in place of an answer is none: {exc}") from exc
