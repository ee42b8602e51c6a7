from __future__ import annotations

from datetime import UTC, timedelta

from agentopic.adapters.clock import SystemClock


def test_wall_time_is_aware_and_in_utc() -> None:
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert now.utcoffset() == timedelta(0)


def test_monotonic_time_never_runs_backwards() -> None:
    clock = SystemClock()

    readings = [clock.monotonic() for _ in range(1000)]

    assert readings == sorted(readings)
