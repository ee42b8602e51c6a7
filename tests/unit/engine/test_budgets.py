"""Budgets: a breach is a question to a person, and nothing is lost meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.core import MessageContext
from agentopic.engine.budget import AgentBudgets, Breach, Budget
from agentopic.engine.control_client import OpenQuestion
from agentopic.engine.runtime import EngineRuntime

from .paid_model import QUESTION, PaidModel
from .town import Note, Resident, Town, fact, topic, until


def run_budget(**limits: Any) -> AgentBudgets:
    return AgentBudgets(run=Budget(**limits))


def asking(model: PaidModel, times: int, done: list[str]) -> Any:
    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        for _ in range(times):
            await model.create(QUESTION)
        done.append(agent.id.key)

    return handle


async def questions(runtime: EngineRuntime, count: int = 1) -> list[OpenQuestion]:
    """Wait until so many questions are open."""
    async with asyncio.timeout(10):
        while len(found := await runtime.control.questions(["clerk"])) < count:  # noqa: ASYNC110 - it is stored
            await asyncio.sleep(0.01)
    return list(found)


async def decide(runtime: EngineRuntime, question: OpenQuestion, answer: Any) -> None:
    await runtime.control.answer(question.id, question.agent, answer)


@pytest.mark.parametrize(
    ("budget", "measure"), [({"calls": 2}, "calls"), ({"tokens": 2200}, "tokens"), ({"usd": 0.00042}, "usd")]
)
async def test_a_run_that_has_used_its_budget_asks_before_the_next_call(
    town: Town, budget: dict[str, Any], measure: str
):
    model, done = PaidModel(), list[str]()
    runtime = town.runtime(budgets=run_budget(**budget))
    await town.settle(runtime, "clerk", asking(model, 3, done))
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"), message_id="run-1")
    (question,) = await questions(runtime)

    assert model.calls == 2
    assert question.note["details"]["measure"] == measure
    assert question.note["details"]["budget"] == "run/run-1"
    assert done == []


async def test_a_raised_budget_lets_the_run_go_on_without_repeating_a_call(town: Town):
    model, done = PaidModel(), list[str]()
    runtime = town.runtime(budgets=run_budget(calls=2))
    await town.settle(runtime, "clerk", asking(model, 4, done))
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"), message_id="run-1")
    (question,) = await questions(runtime)

    await decide(runtime, question, "allow 2 more")
    await runtime.stop_when_idle()

    assert (model.calls, done) == (4, ["k"])
    assert town.reasons("clerk") == []


async def test_a_budget_that_is_used_up_again_asks_again(town: Town):
    model, done = PaidModel(), list[str]()
    runtime = town.runtime(budgets=run_budget(calls=1))
    await town.settle(runtime, "clerk", asking(model, 3, done))
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"), message_id="run-1")
    (first,) = await questions(runtime)

    await decide(runtime, first, "allow 1 more")
    await until(lambda: model.calls == 2, "the call that was allowed")
    second = next(each for each in await questions(runtime) if each.id != first.id)
    await decide(runtime, second, "allow 1 more")
    await runtime.stop_when_idle()

    assert (model.calls, done) == (3, ["k"])


async def test_a_raised_budget_holds_for_later_turns_of_the_run(town: Town):
    model, done = PaidModel(), list[str]()
    runtime = town.runtime(budgets=run_budget(calls=1))

    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        await model.create(QUESTION)
        done.append(agent.id.key)
        if message.number:
            await agent.publish_message(Note(number=message.number - 1), topic("clerk", f"k{message.number}"))

    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(number=3), topic("clerk"), message_id="run-1")
    (question,) = await questions(runtime)

    await decide(runtime, question, "allow 3 more")
    await runtime.stop_when_idle()

    assert len(done) == model.calls == 4


async def test_a_run_that_is_stopped_is_a_dead_letter_and_not_tried_again(town: Town):
    model, done = PaidModel(), list[str]()
    runtime = town.runtime(budgets=run_budget(calls=1))
    await town.settle(runtime, "clerk", asking(model, 2, done))
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"), message_id="run-1")
    (question,) = await questions(runtime)

    await decide(runtime, question, "stop")
    await runtime.stop_when_idle()

    assert (model.calls, done) == (1, [])
    assert town.reasons("clerk") == ["BudgetExceededError"]
    assert fact(town.records("dead.clerk")[0], "attempts") == "1"


async def test_an_answer_that_decides_nothing_is_asked_again(town: Town):
    model, done = PaidModel(), list[str]()
    runtime = town.runtime(budgets=run_budget(calls=1))
    await town.settle(runtime, "clerk", asking(model, 2, done))
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"), message_id="run-1")
    (first,) = await questions(runtime)

    await decide(runtime, first, "perhaps")
    async with asyncio.timeout(10):
        while (again := await questions(runtime))[0].id == first.id:  # noqa: ASYNC110 - it is stored
            await asyncio.sleep(0.01)
    await decide(runtime, again[0], "allow 1 more")
    await runtime.stop_when_idle()

    assert done == ["k"]


async def test_all_turns_of_an_agent_type_wait_for_one_answer_about_its_day(town: Town):
    model, done = PaidModel(), list[str]()
    runtime = town.runtime(budgets=AgentBudgets(day=Budget(calls=2)))
    await town.settle(runtime, "clerk", asking(model, 1, done))
    await runtime.start()
    for number in range(10):
        await runtime.publish_message(Note(), topic("clerk", f"k{number}"))
    await until(lambda: len(done) == 2, "two calls within the budget")

    (question,) = await questions(runtime)
    await decide(runtime, question, "allow 20 more")
    await runtime.stop_when_idle()

    assert (model.calls, len(done)) == (10, 10)


async def test_calls_under_way_count_against_the_budget(town: Town):
    gate = asyncio.Event()

    async def slowly() -> str:
        await gate.wait()
        return "yes"

    model, done = PaidModel(slowly, slowly), list[str]()

    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        await asyncio.gather(*(model.create([*QUESTION, *QUESTION[: number + 1]]) for number in range(2)))
        done.append(agent.id.key)

    runtime = town.runtime(budgets=run_budget(calls=1))
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"), message_id="run-1")

    (question,) = await questions(runtime)

    assert model.calls == 1
    gate.set()
    await decide(runtime, question, "allow 1 more")
    await runtime.stop_when_idle()
    assert (model.calls, done) == (2, ["k"])


async def test_a_question_about_a_budget_survives_the_process_that_asked_it(town: Town):
    model, done = PaidModel(), list[str]()
    first = town.runtime(budgets=run_budget(calls=1), drain_seconds=0.2)
    await town.settle(first, "clerk", asking(model, 2, done))
    await first.start()
    await first.publish_message(Note(), topic("clerk"), message_id="run-1")
    await questions(first)
    await first.stop()

    second = town.runtime(budgets=run_budget(calls=1))
    await town.settle(second, "clerk", asking(model, 2, done))
    await second.start()
    (question,) = await questions(second)
    await decide(second, question, "allow 1 more")
    await second.stop_when_idle()

    assert (model.calls, done) == (2, ["k"])
    assert (await second.spent(run="run-1")).calls == 2


async def test_a_turn_that_waits_for_a_decision_leaves_memory_and_goes_on_from_its_steps(town: Town):
    model, ended = PaidModel(), list[int]()

    async def handle(agent: Resident, message: Note, _ctx: MessageContext) -> None:
        try:
            for _ in range(2):
                await model.create(QUESTION)
        finally:
            ended.append(1)

    runtime = town.runtime(budgets=run_budget(calls=1), suspend_seconds=0.05)
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"), message_id="run-1")
    (question,) = await questions(runtime)
    await until(lambda: ended == [1], "the turn unwound")

    await decide(runtime, question, "allow 1 more")
    await runtime.stop_when_idle()

    assert (len(ended), model.calls) == (2, 2)


async def test_a_day_is_counted_over_all_processes(town: Town):
    model, done = PaidModel(), list[str]()
    runtimes = [town.runtime(budgets=AgentBudgets(day=Budget(calls=3)), max_concurrent_agents=1) for _ in range(2)]
    for runtime in runtimes:
        await town.settle(runtime, "clerk", asking(model, 1, done))
        await runtime.start()

    for number in range(8):
        await runtimes[0].publish_message(Note(), topic("clerk", f"k{number}"))
    (question,) = await questions(runtimes[1])
    await until(lambda: len(done) >= 3, "the calls within the budget")
    calls = model.calls
    await decide(runtimes[0], question, "allow 10 more")
    await until(lambda: len(done) == 8, "all turns")

    assert calls <= 4  # each process may overstep by what it has in flight
    assert model.calls == 8


async def test_turns_that_wait_for_anothers_answer_go_on_in_the_next_process(town: Town):
    model, done = PaidModel(), list[str]()
    first = town.runtime(budgets=AgentBudgets(day=Budget(calls=1)), drain_seconds=0.2)
    await town.settle(first, "clerk", asking(model, 1, done))
    await first.start()
    for number in range(4):
        await first.publish_message(Note(), topic("clerk", f"k{number}"))
    await questions(first)
    await first.stop()

    second = town.runtime(budgets=AgentBudgets(day=Budget(calls=1)))
    await town.settle(second, "clerk", asking(model, 1, done))
    await second.start()
    (question,) = await questions(second)
    await decide(second, question, "allow 10 more")
    await second.stop_when_idle()

    assert (model.calls, len(done)) == (4, 4)


async def test_without_a_budget_nobody_is_asked(town: Town):
    model, done = PaidModel(), list[str]()
    runtime = town.runtime()
    await town.settle(runtime, "clerk", asking(model, 50, done))
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert (model.calls, done) == (50, ["k"])


@pytest.mark.parametrize(
    ("measure", "answer", "more"),
    [
        ("calls", "allow 20 more", 20),
        ("usd", "Allow $2.50 more", 2_500_000),
        ("tokens", "allow 1000", 1000),
        ("calls", "stop", None),
        ("calls", 7, None),
        ("calls", "allow many more", None),
    ],
)
def test_an_answer_allows_what_it_says(measure: Any, answer: Any, more: int | None):
    assert Breach(scope="run/r", measure=measure, limit=1).allowed(answer) == more
