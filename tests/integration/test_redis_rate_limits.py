"""Rate limits that processes share, on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from agentopic.adapters.rate_limit.redis import RedisRateLimits
from agentopic.ports.rate_limits import RateLimit
from agentopic.testing import RedisServer

ENDPOINT = "api.example.com/v1/gpt"


@pytest.fixture
async def processes(redis_url: str, ns: str) -> AsyncIterator[tuple[RedisRateLimits, RedisRateLimits]]:
    async with AsyncExitStack() as stack:
        first, second = (RedisRateLimits(redis_url, namespace=ns) for _ in range(2))
        stack.push_async_callback(first.aclose)
        stack.push_async_callback(second.aclose)
        yield first, second


async def admitted(limits: RedisRateLimits, limit: RateLimit, tokens: int = 0) -> bool:
    """Whether a call may be made now; a wait of a tenth of a second counts as no."""
    try:
        async with asyncio.timeout(0.1):
            await limits.admit(ENDPOINT, limit, tokens)
    except TimeoutError:
        return False
    return True


async def test_processes_share_a_minutes_worth_of_requests(processes: tuple[RedisRateLimits, RedisRateLimits]):
    limit = RateLimit(requests=6)

    passed = [await admitted(each, limit) for _ in range(4) for each in processes]

    assert passed == [True] * 6 + [False] * 2


async def test_processes_share_tokens(processes: tuple[RedisRateLimits, RedisRateLimits]):
    first, second = processes
    limit = RateLimit(tokens=1000)

    await first.admit(ENDPOINT, limit, 900)

    assert not await admitted(second, limit, 200)
    assert await admitted(second, limit, 50)


async def test_of_many_at_once_only_as_many_pass_as_are_allowed(processes: tuple[RedisRateLimits, RedisRateLimits]):
    limit = RateLimit(requests=20)

    passed = await asyncio.gather(*(admitted(each, limit) for _ in range(50) for each in processes))

    assert sum(passed) == 20


async def test_what_a_call_took_beyond_its_estimate_is_missing_for_all(
    processes: tuple[RedisRateLimits, RedisRateLimits],
):
    first, second = processes
    limit = RateLimit(tokens=1000)
    await first.admit(ENDPOINT, limit, 100)

    await first.settle(ENDPOINT, limit, 900)

    assert not await admitted(second, limit, 100)


async def test_a_waiting_call_is_admitted_when_its_share_has_come_back(
    processes: tuple[RedisRateLimits, RedisRateLimits],
):
    first, second = processes
    limit = RateLimit(requests=600)
    await asyncio.gather(*(first.admit(ENDPOINT, limit, 0) for _ in range(600)))

    await second.admit(ENDPOINT, limit, 0)


async def test_a_call_larger_than_a_minutes_worth_passes_with_a_full_minute(
    processes: tuple[RedisRateLimits, RedisRateLimits],
):
    first, second = processes
    limit = RateLimit(tokens=1000)

    assert await admitted(first, limit, 50_000)
    assert not await admitted(second, limit, 500)


async def test_an_endpoint_that_asks_one_process_for_patience_is_left_alone_by_all(
    processes: tuple[RedisRateLimits, RedisRateLimits],
):
    first, second = processes

    await first.hold(ENDPOINT, 60.0)

    assert not await admitted(first, RateLimit())
    assert not await admitted(second, RateLimit())


async def test_a_server_that_is_gone_stops_nobody(ns: str):
    async with RedisServer() as server:
        limits = RedisRateLimits(server.url, namespace=ns)
        await limits.admit(ENDPOINT, RateLimit(requests=2), 0)

    try:
        passed = [await admitted(limits, RateLimit(requests=2)) for _ in range(3)]
    finally:
        await limits.aclose()

    assert passed == [True, True, False]
