"""Code and prompts that change between two attempts: models go on, what cannot be repeated waits for a decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from agentopic.core import MessageContext
from agentopic.engine.control_client import OpenQuestion
from agentopic.testing import MemoryMesh, expect

from .shapes import TASK, Call, Messages, Outside, Said, Task, desk


def program_of(outside: Outside, prompts: Sequence[str], effect: str, call: Callable[[int], Call]):
    """A program whose prompt, and whose model's wish, differ from attempt to attempt."""
    attempts = list[int]()

    async def program(_task: Task, _ctx: MessageContext) -> Messages:
        attempts.append(1)
        number = min(len(attempts), len(prompts)) - 1
        tools = [outside.tool("charge", effect=effect)]
        clerk = outside.agent("clerk", [call(number)], tools=tools, system_message=prompts[number])
        return (await clerk.run(task="go")).messages

    return program


def same(_attempt: int) -> Call:
    return ("c1", "charge", '{"item": "lamp"}')


def other(attempt: int) -> Call:
    return (f"c{attempt}", "charge", f'{{"item": "lamp {attempt}"}}')


PROMPTS = ("be polite", "be brief")


async def test_a_changed_prompt_asks_the_model_anew_and_is_counted() -> None:
    outside = Outside()
    async with MemoryMesh() as mesh:
        runtime = await mesh.run(desk(program_of(outside, PROMPTS, "unrepeatable", same), fails=1))
        await mesh.publish(*TASK[0])
        await mesh.idle()
        await runtime.stop()
        said = mesh.events("said")
        spent = await runtime.spent(run=said[0].correlationid)

    assert outside.done == {"clerk": 2, "charge": 1}
    assert (spent.calls, spent.diverged) == (2, 1)


async def test_a_repeatable_tool_is_called_anew_where_the_model_now_wants_something_else() -> None:
    outside = Outside()
    async with MemoryMesh() as mesh:
        runtime = await mesh.run(desk(program_of(outside, PROMPTS, "idempotent", other), fails=1))
        await mesh.publish(*TASK[0])
        await mesh.idle()
        await runtime.stop()
        events = mesh.events("said")
        spent = await runtime.spent(run=events[0].correlationid)

    assert expect(events).one(Said).last == "charge lamp 1"
    assert outside.done == {"clerk": 2, "charge": 2}
    assert spent.diverged == 1


async def parked(mesh: MemoryMesh, outside: Outside) -> OpenQuestion:
    await mesh.run(desk(program_of(outside, PROMPTS, "unrepeatable", other), fails=1))
    await mesh.publish(*TASK[0])
    return await mesh.question("desk")


async def test_a_tool_that_cannot_be_repeated_waits_for_a_person_before_it_is_called_with_other_arguments() -> None:
    outside = Outside()
    async with MemoryMesh() as mesh:
        question = await parked(mesh, outside)
        before = outside.done["charge"]
        await mesh.answer(question, "go on")
        await mesh.idle()
        said = expect(mesh.events("said")).exactly(1).one(Said)

    assert "was called before with another input" in question.note["text"]
    assert (before, outside.done["charge"]) == (1, 2)
    assert said.last == "charge lamp 1"


@pytest.mark.parametrize("answer", ["give up", "no"])
async def test_whoever_gives_up_ends_the_turn_and_nothing_is_called(answer: str) -> None:
    outside = Outside()
    async with MemoryMesh() as mesh:
        await mesh.answer(await parked(mesh, outside), answer)
        await mesh.idle()
        letters = mesh.dead_letters("desk")

        expect(mesh.events("said")).none()

    assert outside.done == {"clerk": 2, "charge": 1}
    assert [each.reason for each in letters] == ["DivergedError"]
