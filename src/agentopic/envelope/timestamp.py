"""CloudEvents timestamps: RFC 3339 text to aware datetimes and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from agentopic.errors import EnvelopeError

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:([0-9]{2})(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def parse_time(text: str, *, attribute: str = "time") -> datetime:
    """Return the aware datetime that RFC 3339 `text` names.

    Digits below a microsecond are cut off; a leap second is read as the last microsecond before the minute.

    Raises:
        EnvelopeError: the text is not an RFC 3339 timestamp.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise _not_a_time(attribute, text)
    if match[1] == "60":
        text = f"{text[:17]}59.999999{match[3]}"
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError as exc:
        raise _not_a_time(attribute, text) from exc


def format_time(time: datetime) -> str:
    """Return the RFC 3339 text of an aware datetime; UTC is written as `Z`.

    Raises:
        EnvelopeError: the datetime has no time zone.
    """
    offset = time.utcoffset()
    if offset is None:
        raise EnvelopeError(f"time {time!r} has no time zone: use an aware datetime")
    if not offset:
        return time.isoformat()[: -len("+00:00")] + "Z"
    if offset % timedelta(minutes=1):
        # RFC 3339 knows offsets in whole minutes only.
        return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return time.isoformat()


def format_millis(millis: int) -> str:
    """Return what `format_time` makes of the UTC time so many milliseconds after the epoch."""
    seconds, rest = divmod(millis, 1000)
    return f"{_until_the_second(seconds)}.{rest:03d}000Z" if rest else f"{_until_the_second(seconds)}Z"


@lru_cache(maxsize=64)
def _until_the_second(seconds: int) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).isoformat()[: -len("+00:00")]


def _not_a_time(attribute: str, text: str) -> EnvelopeError:
    return EnvelopeError(
        f"attribute {attribute!r} is no RFC 3339 timestamp: {text[:64]!r}; write it like 2018-04-05T17:31:00Z"
    )
