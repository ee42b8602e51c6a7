"""Steps with waits inside that end before those do, and ids that branches mint side by side."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.core import MessageContext, step, step_path
from agentopic.core._turn import mint_id

from .test_waiting import questions, started
from .town import Note, Resident, Town, topic, until


@pytest.mark.parametrize("end", ["stop", "put away"])
async def test_what_a_step_makes_of_its_unwinding_is_no_result(town: Town, end: str):
    results = list[Any]()

    async def permit(ctx: MessageContext) -> str:
        try:
            return f"{await ctx.ask('May I?')} said"
        except BaseException:  # noqa: BLE001 - the very thing it must not achieve anything by
            return "nobody said anything"

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        results.append(await step("permit", lambda: permit(ctx), repeatable=True))

    first = await started(town, handle, suspend_seconds=0.0 if end == "put away" else 60.0)
    await first.publish_message(Note(), topic("clerk"))
    (question,) = await questions(first)
    if end == "put away":
        await until(lambda: all(lane.owner is None for lane in town.store.lanes.values()), "the turn is put away")
    else:
        await first.stop()
    second = await started(town, handle)

    await second.control.answer(question.id, question.agent, "ann")
    await until(lambda: bool(results), "the turn goes on")
    await second.stop_when_idle()

    assert results == ["ann said"]
    assert town.records("dead.clerk") == []


async def test_ids_minted_side_by_side_are_the_same_in_whatever_order_the_branches_come(town: Town):
    attempts = list[dict[str, list[str]]]()

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        late = asyncio.Event()
        first_again = bool(attempts)

        async def branch(name: str, waits: bool) -> list[str]:
            if waits:
                await late.wait()
            with step_path(name):
                ids = [mint_id(), mint_id()]
            late.set()
            return ids

        one, two = await asyncio.gather(branch("one", first_again), branch("two", not first_again))
        attempts.append({"one": one, "two": two, "after": [mint_id()]})
        if len(attempts) < 2:
            raise ValueError("once more")

    runtime = await started(town, handle)
    await runtime.publish_message(Note(), topic("clerk"))
    await runtime.stop_when_idle()

    assert attempts[0] == attempts[1]
    assert len({each for ids in attempts[0].values() for each in ids}) == 5
