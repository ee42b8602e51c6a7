"""A clock stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agentopic.testing import FakeClock

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_time_passes_on_both_clocks_when_it_is_advanced() -> None:
    clock = FakeClock(START)

    clock.advance(90)

    assert clock.now() == START + timedelta(seconds=90)
    assert clock.monotonic() == 90


def test_setting_the_wall_clock_passes_no_time() -> None:
    clock = FakeClock(START)

    clock.set_wall(START - timedelta(days=1))

    assert clock.now() == START - timedelta(days=1)
    assert clock.monotonic() == 0


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="advance"):
        FakeClock().advance(-1)
