"""What model calls cost, and where it is counted."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import pytest

from agentopic.core import MessageContext
from agentopic.core._turn import step
from agentopic.engine.ledger import run_scope, type_scope
from agentopic.engine.runtime import EngineRuntime
from agentopic.errors import ConfigError
from agentopic.ports.journal import Spend

from .paid_model import QUESTION, PaidModel
from .town import Note, Resident, Town, topic

MINI_MICROS = 1000 * 0.15 + 100 * 0.60
"""What one answer of the model costs at the price of gpt-4o-mini."""


async def answered(
    town: Town, handler: Any, *, notes: int = 1, run: str | None = None, **options: Any
) -> EngineRuntime:
    """Publish notes to an agent with this handler, let all be done, and return the stopped runtime."""
    runtime = town.runtime(**options)
    await town.settle(runtime, "clerk", handler)
    await runtime.start()
    for number in range(notes):
        await runtime.publish_message(Note(number=number), topic("clerk"), message_id=run)
    await runtime.stop_when_idle()
    return runtime


def asking(model: PaidModel, times: int = 1, *, fail_first: int = 0) -> Any:
    """Return a handler that asks a model so often, and fails after it in its first attempts."""
    attempts = list[int]()

    async def handle(_agent: Resident, message: Note, _ctx: MessageContext) -> None:
        attempts.append(1)
        for _ in range(times):
            await model.create(QUESTION)
        if len(attempts) <= fail_first:
            raise ValueError("not yet")

    return handle


async def test_a_call_is_counted_for_its_run_and_for_its_agent_type_today(town: Town):
    runtime = await answered(town, asking(PaidModel(), 2), run="run-1")

    spent = await runtime.spent(run="run-1")
    assert (spent.calls, spent.input_tokens, spent.output_tokens) == (2, 2000, 200)
    assert spent.micros == 2 * MINI_MICROS
    assert (await runtime.spent(agent_type="clerk")).micros == 2 * MINI_MICROS


async def test_a_model_without_a_known_price_is_flagged_and_never_free_silently(town: Town):
    runtime = await answered(town, asking(PaidModel(name="house-model-7")), run="run-1")

    spent = await runtime.spent(run="run-1")
    assert (spent.calls, spent.unpriced, spent.micros) == (1, 1, 0)
    assert spent.input_tokens == 1000


async def test_a_recorded_call_is_not_billed_again_and_counts_as_saved(town: Town):
    model = PaidModel()

    runtime = await answered(town, asking(model, 3, fail_first=2), run="run-1")

    spent = await runtime.spent(run="run-1")
    assert model.calls == 3
    assert (spent.calls, spent.saved) == (3, 6)


async def test_a_result_that_a_later_attempt_no_longer_asks_for_counts_as_diverged(town: Town):
    model, attempts = PaidModel(), list[int]()

    async def handle(_agent: Resident, message: Note, _ctx: MessageContext) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            await model.create(QUESTION)
            raise ValueError("the code changes after this")

    runtime = await answered(town, handle, run="run-1")

    assert (await runtime.spent(run="run-1")).diverged == 1


async def test_a_call_that_failed_has_no_bill(town: Town):
    runtime = await answered(town, asking(PaidModel(ValueError("no"), "yes")), run="run-1")

    assert (await runtime.spent(run="run-1")).calls == 1


async def test_effects_of_ones_own_are_not_billed(town: Town):
    async def handle(_agent: Resident, message: Note, _ctx: MessageContext) -> None:
        await step("mail", lambda: asyncio.sleep(0, "sent"))

    runtime = await answered(town, handle, run="run-1")

    assert await runtime.spent(run="run-1") == Spend(scope=run_scope("run-1"))


async def test_a_run_tells_what_it_has_cost_so_far(town: Town):
    await answered(town, asking(PaidModel(), 2), run="run-1")

    facts = [each for each in town.events("runs") if each.type == "agentopic.RunCost.v1"]
    data = json.loads(facts[0].data or b"")
    assert len(facts) == 1
    assert (data["run"], data["calls"], data["usd"]) == ("run-1", 2, 2 * MINI_MICROS / 1_000_000)


async def test_a_turn_without_a_model_tells_no_cost(town: Town):
    async def handle(_agent: Resident, message: Note, _ctx: MessageContext) -> None:
        return None

    await answered(town, handle)

    assert [each for each in town.events("runs") if each.type == "agentopic.RunCost.v1"] == []


async def test_spending_is_asked_of_either_a_run_or_an_agent_type(town: Town):
    runtime = town.runtime()

    with pytest.raises(ConfigError):
        await runtime.spent()
    with pytest.raises(ConfigError):
        await runtime.spent(run="r", agent_type="clerk")


def test_a_scope_stays_within_what_the_journal_takes_however_long_the_name_is():
    long = "x" * 2000

    assert len(run_scope(long)) < 1000
    assert run_scope(long) != run_scope(long + "y")
    assert len(type_scope(long, date(2026, 1, 1))) < 1000
