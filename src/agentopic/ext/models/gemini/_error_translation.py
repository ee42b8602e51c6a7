"""Turns the SDK's errors into ours, so that whoever retries decides by our classes alone."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from google.auth.exceptions import GoogleAuthError
from google.genai import errors
from pydantic import ValidationError

from agentopic.errors import ModelAuthenticationError, ModelError, ModelTimeoutError, ModelUnavailableError
from agentopic.ext.models._client import connection_errors, error_of_status

_TIMEOUTS, _BROKEN = connection_errors()


@contextmanager
def translated_errors() -> Generator[None]:
    """Raise our error in place of the SDK's and of those of its HTTP library."""
    try:
        yield
    except errors.APIError as exc:
        raise _of_status(exc) from exc
    except GoogleAuthError as exc:
        raise ModelAuthenticationError(f"no credentials that the provider accepts: {exc}") from exc
    except _TIMEOUTS as exc:
        raise ModelTimeoutError(f"the provider said nothing for too long ({type(exc).__name__})") from exc
    except _BROKEN as exc:
        raise ModelUnavailableError(f"the connection broke: {exc}") from exc
    except (errors.UnknownApiResponseError, json.JSONDecodeError, UnicodeDecodeError, ValidationError) as exc:
        raise ModelUnavailableError(f"what came in place of an answer is none: {exc}") from exc


def _of_status(error: errors.APIError) -> ModelError:
    """A wrong key is a bad request in this API, and a wish for a pause stands in the details of the error."""
    details: Any = cast("Any", error).details
    if "API_KEY_INVALID" in str(details):
        return ModelAuthenticationError(str(error))
    sent: Any = getattr(cast("Any", error).response, "headers", None) or {}
    headers: dict[str, str] = {str(name).lower(): str(sent[name]) for name in sent}
    wished = _retry_delay(details)
    if wished is not None:
        headers.setdefault("retry-after", wished)
    return error_of_status(error.code or 500, str(error), code=error.status or "", headers=headers)


def _retry_delay(details: Any) -> str | None:
    try:
        delays = [detail.get("retryDelay") for detail in details["error"]["details"]]
    except (KeyError, TypeError, AttributeError):  # most errors have no such details
        return None
    return next((str(delay).removesuffix("s") for delay in delays if delay), None)
