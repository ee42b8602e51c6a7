"""When an endpoint is left alone, and what lets calls pass again."""

from __future__ import annotations

import asyncio

import pytest

from agentopic.adapters.clock import SystemClock
from agentopic.engine.circuit import Circuit, CircuitPolicy, Circuits, verdict
from agentopic.errors import (
    ModelRefusedError,
    ModelTimeoutError,
    ModelUnavailableError,
    RateLimitedError,
)

from .hand_clock import HandClock

POLICY = CircuitPolicy(failures=3, cool_down_seconds=30.0)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def circuit(clock: HandClock) -> Circuit:
    return Circuit("api/gpt", POLICY, clock)


def fail(circuit: Circuit, times: int) -> None:
    for _ in range(times):
        assert circuit.enter() is False
        circuit.leave("failed", probe=False)


def test_failures_in_a_row_open_the_circuit(circuit: Circuit):
    fail(circuit, 3)

    assert circuit.enter() is None


def test_an_answer_between_failures_starts_the_count_anew(circuit: Circuit):
    fail(circuit, 2)
    circuit.leave("answered", probe=False)
    fail(circuit, 2)

    assert circuit.is_closed


def test_a_call_that_was_broken_off_says_nothing(circuit: Circuit):
    fail(circuit, 2)
    circuit.leave("unknown", probe=False)
    circuit.leave("failed", probe=False)

    assert not circuit.is_closed


def test_after_the_cool_down_exactly_one_probe_passes(circuit: Circuit, clock: HandClock):
    fail(circuit, 3)
    clock.seconds += 30.0

    assert [circuit.enter(), circuit.enter(), circuit.enter()] == [True, None, None]


def test_a_probe_that_is_answered_closes_the_circuit(circuit: Circuit, clock: HandClock):
    fail(circuit, 3)
    clock.seconds += 30.0
    circuit.enter()

    circuit.leave("answered", probe=True)

    assert circuit.enter() is False


def test_a_probe_that_fails_opens_it_for_another_cool_down(circuit: Circuit, clock: HandClock):
    fail(circuit, 3)
    clock.seconds += 30.0
    circuit.enter()

    circuit.leave("failed", probe=True)

    assert circuit.enter() is None
    clock.seconds += 30.0
    assert circuit.enter() is True


def test_a_probe_that_was_broken_off_lets_the_next_call_probe(circuit: Circuit, clock: HandClock):
    fail(circuit, 3)
    clock.seconds += 30.0
    circuit.enter()

    circuit.leave("unknown", probe=True)

    assert circuit.enter() is True


def test_calls_that_were_under_way_when_it_opened_neither_close_it_nor_open_it_longer(
    circuit: Circuit, clock: HandClock
):
    fail(circuit, 3)
    clock.seconds += 20.0
    circuit.leave("answered", probe=False)
    circuit.leave("failed", probe=False)
    clock.seconds += 10.0

    assert circuit.enter() is True


async def test_those_who_wait_pass_as_soon_as_the_probe_is_answered(circuit: Circuit, clock: HandClock):
    fail(circuit, 3)
    clock.seconds += 30.0
    probe = circuit.enter()
    waiting = [asyncio.ensure_future(circuit.passable()) for _ in range(3)]
    await asyncio.sleep(0)

    circuit.leave("answered", probe=bool(probe))
    await asyncio.gather(*waiting)

    assert circuit.enter() is False


async def test_those_who_wait_go_on_when_the_cool_down_is_over():
    circuit = Circuit("api/gpt", CircuitPolicy(failures=1, cool_down_seconds=0.02), SystemClock())
    fail(circuit, 1)

    await circuit.passable()

    assert circuit.enter() is True


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, "answered"),
        (ModelUnavailableError("503"), "failed"),
        (ModelTimeoutError("30 s"), "failed"),
        (TimeoutError(), "failed"),
        (ConnectionResetError(), "failed"),
        (RateLimitedError("429", 3.0), "answered"),
        (ModelRefusedError("bad key"), "answered"),
        (asyncio.CancelledError(), "unknown"),
    ],
)
def test_only_an_endpoint_that_does_not_answer_has_failed(error: BaseException | None, said: str):
    assert verdict(error) == said


def test_each_endpoint_has_a_circuit_of_its_own(clock: HandClock):
    circuits = Circuits(POLICY, clock)

    fail(circuits.of("a"), 3)

    assert circuits.of("a") is circuits.of("a")
    assert circuits.of("b").is_closed
