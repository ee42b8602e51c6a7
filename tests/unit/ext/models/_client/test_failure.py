"""What providers say about a failed call, and the error it becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from agentopic.errors import ContentRefusedError, ContextTooLongError, ModelError, ModelRefusedError, RateLimitedError
from agentopic.ext.models._client import error_of_status, retry_after

TOO_LONG = {
    "openai": "This model's maximum context length is 128000 tokens.",
    "openai responses": "Your input exceeds the context window of this model.",
    "anthropic": "prompt is too long: 208310 tokens > 200000 maximum",
    "anthropic with max_tokens": "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "bedrock": "Input is too long for requested model.",
    "gemini": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "ollama": "the input length exceeds the context length",
}


@pytest.mark.parametrize("provider", TOO_LONG)
def test_a_conversation_that_is_too_long_is_known_by_every_providers_words(provider: str) -> None:
    assert type(error_of_status(400, TOO_LONG[provider])) is ContextTooLongError


@pytest.mark.parametrize(
    ("message", "code", "error"),
    [
        ("max_tokens: 99999 > 64000, which is the maximum allowed number of output tokens", "", ModelRefusedError),
        ("Your credit balance is too low", "invalid_request_error", ModelRefusedError),
        ("The prompt was filtered", "content_filter", ContentRefusedError),
    ],
)
def test_other_bad_requests_are_told_apart(message: str, code: str, error: type[ModelError]) -> None:
    assert type(error_of_status(400, message, code=code)) is error


def test_an_empty_account_is_no_limit_that_passes() -> None:
    assert type(error_of_status(429, "pay first", code="insufficient_quota")) is ModelRefusedError
    assert type(error_of_status(429, "slowly", code="rate_limit_exceeded")) is RateLimitedError


def test_a_wish_for_a_pause_is_read_in_seconds_milliseconds_and_as_a_moment() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)

    assert retry_after({"retry-after": "1.5"}) == 1.5
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert 3500 < (retry_after({"retry-after": format_datetime(later, usegmt=True)}) or 0) <= 3600
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "\u00b2"}) is None
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}) == 0.0
    assert retry_after({}) is None
