"""What only a person can know or decide: unknown outcomes, divergence; and who may hold calls up: guards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agentopic.core import MessageContext, step
from agentopic.core._turn import OnUnknown, StepSpec, current_turn, step_path
from agentopic.engine.runtime import EngineRuntime
from agentopic.engine.step_guards import StepOutcome
from agentopic.engine.turn import Turn
from agentopic.errors import RateLimitedError
from agentopic.ports.journal import Spend

from .test_waiting import held, hosted, questions, started
from .town import Note, Resident, Town, topic, until

# ── unknown outcomes ───────────────────────────────────────────────────────────────────────────────────────


async def interrupted(town: Town, rule: OnUnknown | None) -> tuple[EngineRuntime, list[str], list[Any]]:
    """Return a process whose turn finds a call that was open when the process before it ended."""
    calls, results = list[str](), list[Any]()
    calling, for_ever = asyncio.Event(), asyncio.Event()

    async def charge() -> str:
        calls.append("charge")
        if len(calls) == 1:
            calling.set()
            await for_ever.wait()
        return "charged again"

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        results.append(await step("charge", charge, on_unknown=rule))

    first = await started(town, handle, drain_seconds=0.05)
    await first.publish_message(Note(), topic("clerk"))
    await calling.wait()
    await first.stop()
    return await started(town, handle), calls, results


async def test_a_call_with_unknown_outcome_is_an_error_by_default(town: Town):
    runtime, calls, results = await interrupted(town, None)

    await until(lambda: bool(town.records("dead.clerk")), "the turn is given up")
    await runtime.stop_when_idle()

    assert calls == ["charge"]
    assert results == []
    assert town.reasons("clerk") == ["StepOutcomeUnknownError"]


async def test_a_call_with_unknown_outcome_is_made_again_where_it_says_retry(town: Town):
    _, calls, results = await interrupted(town, "retry")

    await until(lambda: bool(results), "the turn ends")

    assert calls == ["charge", "charge"]
    assert results == ["charged again"]


@pytest.mark.parametrize(
    ("answer", "result", "count"),
    [
        ("again", "charged again", 2),
        ("done: 17", 17, 1),
        ("done: by hand", "by hand", 1),
        ({"done": {"receipt": 5}}, {"receipt": 5}, 1),
        ("done", None, 1),
    ],
)
async def test_a_person_says_what_became_of_a_call_with_unknown_outcome(
    town: Town, answer: Any, result: Any, count: int
):
    runtime, calls, results = await interrupted(town, "ask")
    (question,) = await questions(runtime)

    await runtime.control.answer(question.id, question.agent, answer)
    await until(lambda: bool(results), "the turn ends")
    await runtime.stop_when_idle()

    assert results == [result]
    assert len(calls) == count


async def test_a_person_says_that_a_call_has_failed(town: Town):
    runtime, calls, results = await interrupted(town, "ask")
    (question,) = await questions(runtime)

    await runtime.control.answer(question.id, question.agent, "failed")
    await until(lambda: bool(town.records("dead.clerk")), "the turn is given up")

    assert results == []
    assert calls == ["charge"]


async def test_what_a_person_said_is_recorded_like_any_result(town: Town):
    runtime, calls, results = await interrupted(town, "ask")
    (question,) = await questions(runtime)
    await runtime.stop()
    again = await started(town, lambda *_: again_step(results))

    await again.control.answer(question.id, question.agent, "done: 17")
    await until(lambda: bool(results), "the turn ends")

    assert results == [17]
    assert calls == ["charge"]


async def again_step(results: list[Any]) -> None:
    async def never() -> str:
        raise AssertionError("called again")

    results.append(await step("charge", never, on_unknown="ask"))


# ── divergence ─────────────────────────────────────────────────────────────────────────────────────────────


def changing(charges: list[int], ends: list[int], *, repeatable: bool = False) -> Any:
    """Return a handler that calls with another input on its second attempt."""
    attempts = list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        amount = len(attempts)

        async def charge() -> int:
            charges.append(amount)
            return amount

        await step("charge", charge, given=min(amount, 2), repeatable=repeatable)
        if amount == 1:
            raise ValueError("the code is changed now")
        ends.append(amount)

    return handle


@pytest.mark.parametrize(("answer", "made"), [("go on", [1, 2]), ("give up", [1])])
async def test_an_unrepeatable_call_with_another_input_waits_for_a_decision(town: Town, answer: str, made: list[int]):
    charges, ends = list[int](), list[int]()
    runtime = await started(town, changing(charges, ends))
    await runtime.publish_message(Note(), topic("clerk"))
    (question,) = await questions(runtime)
    assert charges == [1]

    await runtime.control.answer(question.id, question.agent, answer)
    await until(lambda: bool(ends or town.records("dead.clerk")), "the turn ends")

    assert charges == made
    assert town.reasons("clerk") == ([] if answer == "go on" else ["DivergedError"])


async def test_a_repeatable_call_with_another_input_goes_on(town: Town):
    charges, ends = list[int](), list[int]()
    runtime = await started(town, changing(charges, ends, repeatable=True))

    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(ends), "the turn ends")

    assert charges == [1, 2]


async def test_parallel_branches_that_reach_their_steps_in_another_order_diverge_from_nothing(town: Town):
    attempts, charges, ends = list[int](), list[int](), list[int]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)

        async def charge(amount: int, delay: float) -> None:
            await asyncio.sleep(delay)

            async def pay() -> int:
                charges.append(amount)
                return amount

            await step("charge", pay, given=amount)

        first = len(attempts) == 1
        branches = [charge(1, 0.0), *([] if first else [charge(2, 0.0)]), charge(3, 0.0 if first else 0.05)]
        await asyncio.gather(*branches)
        if first:
            raise ValueError("once more")
        ends.append(1)

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(ends), "the turn ends")

    assert sorted(charges) == [1, 2, 3]
    assert list(await runtime.control.questions()) == []


# ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_branches_that_do_the_same_thing_under_their_own_paths_never_swap_results(town: Town):
    attempts, seen = list[int](), list[dict[str, str]]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        results = dict[str, str]()

        async def branch(name: str, delay: float) -> None:
            await asyncio.sleep(delay)

            async def work() -> str:
                return f"result of {name}"

            with step_path(name):
                results[name] = await step("same", work)

        first = len(attempts) == 1
        await asyncio.gather(branch("a", 0.0 if first else 0.02), branch("b", 0.02 if first else 0.0))
        seen.append(results)
        if first:
            raise ValueError("once more")

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: len(seen) == 2, "both attempts")

    assert seen[0] == seen[1] == {"a": "result of a", "b": "result of b"}


# ── guards ─────────────────────────────────────────────────────────────────────────────────────────────────


class Meter:
    """A guard that notes what it is told, refuses so many calls, and may ask a person."""

    def __init__(self, *, refusals: int = 0, asks: bool = False) -> None:
        self.refusals, self.asks = refusals, asks
        self.before_calls = 0
        self.outcomes = list[StepOutcome]()

    async def before(self, turn: Turn, spec: StepSpec[Any]) -> None:
        self.before_calls += 1
        if self.asks:
            await turn.ask("May it?")
        if self.refusals:
            self.refusals -= 1
            raise RateLimitedError("not now", retry_after_seconds=0.0)

    def after(self, turn: Turn, spec: StepSpec[Any], outcome: StepOutcome) -> Sequence[Spend]:
        self.outcomes.append(outcome)
        return [Spend(scope="run/r", calls=1)]


def guard(runtime: EngineRuntime, *meters: Meter) -> None:
    """Have these guards stand around the calls of a running process."""
    for each in hosted(runtime):
        object.__setattr__(each.dispatcher._tools.hooks, "guards", meters)


def modelled(calls: list[int], *, failures: int = 0) -> Any:
    """Return a handler that makes one call of kind `model`, which fails so many times."""

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        async def call(_: str) -> int:
            calls.append(1)
            if len(calls) <= failures:
                raise RateLimitedError("busy", retry_after_seconds=0.0)
            return len(calls)

        turn = current_turn.get()
        assert turn is not None
        spec: StepSpec[int] = StepSpec(
            kind="model",
            name="m",
            input=b"",
            encode=lambda value: str(value).encode(),
            decode=int,
            repeatable=True,
        )
        await turn.step(spec, call)

    return handle


async def test_a_guard_is_asked_before_and_told_after_every_call_retries_included(town: Town):
    calls, meter = list[int](), Meter()
    runtime = await started(town, modelled(calls, failures=2))
    guard(runtime, meter)

    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: len(meter.outcomes) == 3, "three calls")
    await runtime.stop_when_idle()

    assert meter.before_calls == 3
    assert [type(each.error) for each in meter.outcomes] == [RateLimitedError, RateLimitedError, type(None)]
    assert meter.outcomes[-1].value == 3
    assert runtime.mesh.journal is not None
    assert (await runtime.mesh.journal.spent(["run/r"]))["run/r"].calls == 3


async def test_a_guards_retryable_error_is_a_failure_of_the_call_that_is_not_made(town: Town):
    calls, refusing, other = list[int](), Meter(refusals=2), Meter()
    runtime = await started(town, modelled(calls))
    guard(runtime, other, refusing)

    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(calls), "the call is made")
    await runtime.stop_when_idle()

    assert len(calls) == 1
    assert len(other.outcomes) == other.before_calls == 3  # each that let it pass hears how it ended


async def test_a_guard_may_ask_a_person_while_the_turn_is_unwound(town: Town):
    calls, meter = list[int](), Meter(asks=True)
    runtime = await started(town, modelled(calls), suspend_seconds=0.0)
    guard(runtime, meter)
    await runtime.publish_message(Note(), topic("clerk"))
    (question,) = await questions(runtime)
    await until(lambda: not held(runtime), "the turn is out of memory")

    await runtime.control.answer(question.id, question.agent, "yes")
    await until(lambda: bool(calls), "the call is made")

    assert len(calls) == 1
