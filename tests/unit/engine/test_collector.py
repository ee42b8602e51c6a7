from __future__ import annotations

import gc
from collections.abc import Generator

import pytest

from agentopic.engine.collector import THRESHOLDS, calm_collector


@pytest.fixture(autouse=True)
def collector() -> Generator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_the_collector_of_a_service_looks_rarely_and_not_at_what_was_there_before() -> None:
    calm_collector()

    assert gc.get_threshold() == THRESHOLDS
    assert gc.get_freeze_count() > 0
    assert gc.isenabled()
