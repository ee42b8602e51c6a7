"""Which of our errors a provider's answer or a broken connection means."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.util import find_spec

from agentopic.concealment import redacted
from agentopic.errors import (
    ContentRefusedError,
    ContextTooLongError,
    ModelAuthenticationError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    RateLimitedError,
)

_WORTH_RETRYING = frozenset({408, 409, 425})
_OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_not_active", "billing_error"})
_TOO_LONG = re.compile(
    r"context.?(?:length|limit|window)|maximum context|prompt is too long|too many tokens|exceeds the (?:maximum|limit)"
    r"|input token count|input is too long|request_too_large",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content.?filter|content.?polic|responsible.?ai|safety", re.IGNORECASE)


def error_of_status(
    status: int, message: str, *, code: str = "", headers: Mapping[str, str] | None = None
) -> ModelError:
    """The error for an answer with this HTTP status; `code` is the provider's own word for what is wrong."""
    message = redacted(message)
    if status == 429 and code not in _OUT_OF_MONEY:
        return RateLimitedError(message, retry_after(headers or {}))
    if status >= 500 or status in _WORTH_RETRYING:
        return ModelUnavailableError(message, retry_after(headers or {}))
    if status in {401, 403}:
        return ModelAuthenticationError(message)
    if status in {400, 413, 422}:
        return _of_bad_request(status, f"{code} {message}", message)
    return ModelRefusedError(message)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds a provider asks the caller to wait, in any of the forms providers use."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        if value.replace(".", "", 1).isdecimal():
            return float(value) * unit
        if value and unit == 1.0:
            return _seconds_until(value)
    return None


def connection_errors() -> tuple[tuple[type[Exception], ...], tuple[type[Exception], ...]]:
    """The time-outs and all the errors of the HTTP libraries that SDKs are built on, as far as installed."""
    found = [importlib.import_module(name) for name in ("httpx", "httpx2") if find_spec(name) is not None]
    timeouts = tuple(library.TimeoutException for library in found)
    return timeouts, tuple(library.HTTPError for library in found) + tuple(library.StreamError for library in found)


def _of_bad_request(status: int, everything: str, message: str) -> ModelError:
    if status == 413 or _TOO_LONG.search(everything):
        return ContextTooLongError(message)
    if _FILTERED.search(everything):
        return ContentRefusedError(message)
    return ModelRefusedError(message)


def _seconds_until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)  # -0000: the sender does not say where it is
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
