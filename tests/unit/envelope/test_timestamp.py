"""RFC 3339 and nothing else, both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope.timestamp import format_millis, format_time, parse_time
from agentopic.errors import EnvelopeError

from .outcomes import outcome
from .strategies import times


@given(times)
def test_time_survives_the_round_trip(time: datetime) -> None:
    assert parse_time(format_time(time)) == time


@given(st.integers(0, 253_402_300_799_999))
def test_milliseconds_are_written_like_the_time_they_are(millis: int) -> None:
    assert format_millis(millis) == format_time(datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millis))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-04-05T17:31:00Z", datetime(2018, 4, 5, 17, 31, tzinfo=UTC)),
        ("2018-04-05t17:31:00z", datetime(2018, 4, 5, 17, 31, tzinfo=UTC)),
        ("2018-04-05T18:31:00+01:00", datetime(2018, 4, 5, 17, 31, tzinfo=UTC)),
        ("2018-04-05T17:31:00-00:00", datetime(2018, 4, 5, 17, 31, tzinfo=UTC)),
        ("2018-04-05T17:31:00.123456789Z", datetime(2018, 4, 5, 17, 31, 0, 123456, tzinfo=UTC)),
        ("2018-04-05T17:31:00.5Z", datetime(2018, 4, 5, 17, 31, 0, 500000, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2016-12-31T23:59:60.5+00:00", datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_rfc3339_is_read(text: str, expected: datetime) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lunchtime",
        "2018-04-05",
        "2018-04-05T18:31Z",
        "2018-04-05T18:31:00",
        "2018-04-05T18:31:00X",
        "2018-04-05T18:31:00+25:00",
        "2018-04-05T18:31:00+xx:00",
        "2018-04-05T18:31:00+05",
        "2018-04-05 18:31:00Z",
        "2018-W14-4T18:31:00Z",
        "2018-13-05T18:31:00Z",
        "2018-02-30T18:31:00Z",
        "20180405T183100Z",
        "2018-04-05T18:31:00Z\n",
        "\uff12018-04-05T18:31:00Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(EnvelopeError, match="RFC 3339"):
        parse_time(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    parsed = outcome(lambda: parse_time(text))

    assert isinstance(parsed, str) or parsed.utcoffset() is not None


def test_utc_is_written_as_z() -> None:
    assert format_time(datetime(2018, 4, 5, 17, 31, tzinfo=UTC)) == "2018-04-05T17:31:00Z"


def test_offset_is_kept_where_rfc3339_can_say_it() -> None:
    half_hour = timezone(timedelta(hours=5, minutes=30))
    local_mean_time = timezone(timedelta(hours=1, minutes=2, seconds=3))

    assert format_time(datetime(2018, 1, 1, tzinfo=half_hour)) == "2018-01-01T00:00:00+05:30"
    assert format_time(datetime(2018, 1, 1, tzinfo=local_mean_time)) == "2017-12-31T22:57:57Z"


def test_naive_time_is_refused() -> None:
    with pytest.raises(EnvelopeError, match="time zone"):
        format_time(datetime(2018, 1, 1))  # noqa: DTZ001
