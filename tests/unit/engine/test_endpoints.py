"""Model endpoints in trouble: circuits, rate limits, Retry-After."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.adapters.rate_limit.local import LocalRateLimits
from agentopic.core import MessageContext
from agentopic.engine.circuit import CircuitPolicy
from agentopic.engine.options import RetryPolicy
from agentopic.engine.runtime import EngineRuntime
from agentopic.errors import ConfigError, ModelUnavailableError, RateLimitedError
from agentopic.ports.rate_limits import RateLimit

from .paid_model import QUESTION, PaidModel
from .town import Note, Resident, Town, topic, until

AT_ONCE = RetryPolicy(max_failures=10, initial_seconds=0.0)


class WatchedLimits:
    """Rate limits that let everything pass and note what they are told."""

    def __init__(self) -> None:
        self.admitted: list[tuple[str, RateLimit, int]] = []
        self.settled: list[tuple[str, int]] = []
        self.held: list[tuple[str, float]] = []

    async def admit(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        self.admitted.append((endpoint, limit, tokens))

    async def settle(self, endpoint: str, limit: RateLimit, tokens: int) -> None:
        self.settled.append((endpoint, tokens))

    async def hold(self, endpoint: str, seconds: float) -> None:
        self.held.append((endpoint, seconds))

    async def aclose(self) -> None: ...


def asking(model: PaidModel, done: list[str]) -> Any:
    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        await model.create(QUESTION)
        done.append(agent.id.key)

    return handle


async def all_begun(runtime: EngineRuntime, deliveries: int) -> None:
    """Wait until so many deliveries are stored and an attempt of each has begun."""
    journal = runtime.mesh.journal
    assert journal is not None
    async with asyncio.timeout(5):
        while True:
            backlog = (await journal.backlog(["town.clerk"]))["town.clerk"]
            if (backlog.deliveries, backlog.unstarted) == (deliveries, 0):
                return
            await asyncio.sleep(0)


async def test_turns_wait_out_an_open_circuit_and_burn_no_attempts(town: Town):
    down = [ModelUnavailableError("503") for _ in range(3)]
    model, done = PaidModel(*down), list[str]()
    runtime = town.runtime(
        circuit=CircuitPolicy(failures=3, cool_down_seconds=0.05), model_retry=AT_ONCE, max_concurrent_agents=3
    )
    await town.settle(runtime, "clerk", asking(model, done))
    await runtime.start()

    for number in range(20):
        await runtime.publish_message(Note(), topic("clerk", f"k{number}"))
    await runtime.stop_when_idle()

    assert len(done) == 20
    assert model.calls == 3 + 20
    assert town.reasons("clerk") == []


async def test_while_a_circuit_is_open_no_call_goes_out_but_other_endpoints_are_called(town: Town):
    model, other, done = PaidModel(ModelUnavailableError("503"), name="down"), PaidModel(name="up"), list[str]()
    policy = CircuitPolicy(failures=1, cool_down_seconds=3600.0)
    runtime = town.runtime(circuit=policy, model_retry=AT_ONCE, drain_seconds=0.1)

    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        await (other if message.text == "up" else model).create(QUESTION)
        done.append(agent.id.key)

    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(text="down"), topic("clerk", "d"))
    await until(lambda: model.calls == 1, "the call that opens the circuit")
    for number in range(5):
        await runtime.publish_message(Note(text="down"), topic("clerk", f"d{number}"))
    for number in range(5):
        await runtime.publish_message(Note(text="up"), topic("clerk", f"u{number}"))
    await until(lambda: len(done) == 5, "the calls of the other endpoint")

    assert model.calls == 1
    assert all(key.startswith("u") for key in done)


async def test_half_open_lets_one_probe_pass_before_the_backlog(town: Town):
    probe_may_end, under_way = asyncio.Event(), list[int]()

    async def probe() -> str:
        under_way.append(1)
        await probe_may_end.wait()
        return "back"

    model, done = PaidModel(ModelUnavailableError("503"), probe), list[str]()
    runtime = town.runtime(circuit=CircuitPolicy(failures=1, cool_down_seconds=0.02), model_retry=AT_ONCE)
    await town.settle(runtime, "clerk", asking(model, done))
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk", "k"))
    await until(lambda: under_way == [1], "the probe")
    for number in range(10):
        await runtime.publish_message(Note(), topic("clerk", f"k{number}"))
    await all_begun(runtime, 11)

    calls_during_the_probe = model.calls
    probe_may_end.set()
    await runtime.stop_when_idle()

    assert calls_during_the_probe == 2
    assert len(done) == 11


async def test_a_retry_after_is_told_for_the_whole_endpoint(town: Town):
    limits, done = WatchedLimits(), list[str]()
    model = PaidModel(RateLimitedError("429", 0.02))
    runtime = town.runtime(rate_limits=limits, model_retry=AT_ONCE)
    await town.settle(runtime, "clerk", asking(model, done))
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert limits.held == [("gpt-4o-mini", 0.02)]
    assert (model.calls, done) == (2, ["k"])


async def test_a_turn_that_has_met_no_429_waits_for_one_that_another_turn_met(town: Town):
    limits, order = LocalRateLimits(), list[str]()

    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        await model.create(QUESTION)
        order.append(agent.id.key)

    model = PaidModel(RateLimitedError("429", 0.3))
    runtime = town.runtime(rate_limits=limits, model_retry=AT_ONCE)
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk", "first"))
    await until(lambda: model.calls == 1, "the call that is refused")
    await runtime.publish_message(Note(), topic("clerk", "second"))
    await all_begun(runtime, 2)

    assert model.calls == 1
    await runtime.stop_when_idle()
    assert sorted(order) == ["first", "second"]


async def test_limits_are_found_by_endpoint_then_by_model_then_for_all(town: Town):
    limits, done = WatchedLimits(), list[str]()
    named, rest = RateLimit(requests=5), RateLimit(tokens=1500)
    runtime = town.runtime(rate_limits=limits, rate_limits_by_name={"gpt-4o-mini": named, "*": rest})
    models = [PaidModel(), PaidModel(name="another")]

    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        for model in models:
            await model.create(QUESTION)
        done.append(agent.id.key)

    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert limits.admitted == [("gpt-4o-mini", named, 0), ("another", rest, 900)]
    assert limits.settled == [("another", 200)]


async def test_a_recorded_call_takes_no_share_of_the_limit(town: Town):
    limits, attempts = WatchedLimits(), list[int]()
    model = PaidModel()

    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        attempts.append(1)
        await model.create(QUESTION)
        if len(attempts) < 3:
            raise ValueError("not yet")

    runtime = town.runtime(rate_limits=limits)
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert (len(attempts), len(limits.admitted)) == (3, 1)


def test_limits_that_nobody_counts_stop_the_start(town: Town):
    with pytest.raises(ConfigError, match="rate limits"):
        town.runtime(rate_limits_by_name={"*": RateLimit(requests=1)})
