"""Rate limits of one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agentopic.adapters.rate_limit.local import LocalRateLimits
from agentopic.ports.rate_limits import RateLimit

FREE = RateLimit()


@pytest.fixture
async def limits() -> AsyncIterator[LocalRateLimits]:
    limits = LocalRateLimits()
    yield limits
    await limits.aclose()


async def admitted(limits: LocalRateLimits, limit: RateLimit, tokens: int = 0, *, endpoint: str = "api/gpt") -> bool:
    """Whether a call may be made now, without waiting."""
    asking = asyncio.ensure_future(limits.admit(endpoint, limit, tokens))
    for _ in range(20):
        await asyncio.sleep(0)
    if asking.done():
        return True
    asking.cancel()
    await asyncio.wait({asking})
    return False


async def test_a_minutes_worth_of_requests_passes_at_once_and_no_more(limits: LocalRateLimits):
    limit = RateLimit(requests=3)

    assert [await admitted(limits, limit) for _ in range(4)] == [True, True, True, False]


async def test_tokens_are_limited_as_requests_are(limits: LocalRateLimits):
    limit = RateLimit(tokens=1000)

    assert await admitted(limits, limit, 900)
    assert not await admitted(limits, limit, 200)
    assert await admitted(limits, limit, 50)


async def test_a_call_larger_than_a_minutes_worth_passes_with_a_full_minute(limits: LocalRateLimits):
    limit = RateLimit(tokens=1000)

    assert await admitted(limits, limit, 50_000)
    assert not await admitted(limits, limit, 100)


async def test_what_a_call_took_beyond_its_estimate_is_missing_for_the_next(limits: LocalRateLimits):
    limit = RateLimit(tokens=1000)
    await limits.admit("api/gpt", limit, 100)

    await limits.settle("api/gpt", limit, 900)

    assert not await admitted(limits, limit, 100)


async def test_each_endpoint_is_counted_for_itself(limits: LocalRateLimits):
    limit = RateLimit(requests=1)

    assert await admitted(limits, limit, endpoint="a")
    assert await admitted(limits, limit, endpoint="b")
    assert not await admitted(limits, limit, endpoint="a")


async def test_a_waiting_call_is_admitted_when_its_share_has_come_back(limits: LocalRateLimits):
    limit = RateLimit(requests=6000)
    for _ in range(6000):
        await limits.admit("api/gpt", limit, 0)

    await limits.admit("api/gpt", limit, 0)


async def test_a_large_call_that_waits_is_not_overtaken_by_small_ones(limits: LocalRateLimits):
    limit, order = RateLimit(tokens=60_000), list[str]()
    await limits.admit("api/gpt", limit, 60_000)

    async def call(name: str, tokens: int) -> None:
        await limits.admit("api/gpt", limit, tokens)
        order.append(name)

    large = asyncio.ensure_future(call("large", 100))
    await asyncio.sleep(0)
    small = [asyncio.ensure_future(call("small", 1)) for _ in range(5)]
    await asyncio.gather(large, *small)

    assert order == ["large", *["small"] * 5]


async def test_nobody_passes_while_an_endpoint_is_held(limits: LocalRateLimits):
    await limits.hold("api/gpt", 60.0)
    await limits.hold("api/gpt", 0.01)

    assert not await admitted(limits, FREE)
    assert await admitted(limits, FREE, endpoint="another")


async def test_a_hold_ends_by_itself(limits: LocalRateLimits):
    await limits.hold("api/gpt", 0.02)

    await limits.admit("api/gpt", FREE, 0)

    assert await admitted(limits, FREE)
