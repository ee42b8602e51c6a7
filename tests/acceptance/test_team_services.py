"""Teams as services: what a caller anywhere gets from a team whose members live in processes of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.messages import TextMessage, UserInputRequestedEvent
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.core import AgentId, CancellationToken
from agentopic.errors import (
    ConfigError,
    MissingTopicError,
    RequestCancelledError,
    RequestTimeoutError,
    TeamError,
)
from agentopic.team_service import RemoteTeam, TeamService
from agentopic.testing import MemoryMesh

from .team_bed import Calls, Gate, caller, desk, gated, remote, rest_of, served, texts, until_shown


async def test_previews_are_shown_while_a_participant_speaks_and_its_committed_messages_not_again() -> None:
    gate = Gate()
    async with served(gated(gate)) as (_, here):
        stream = RemoteTeam("gated", here).run_stream(task="go")
        before = await until_shown(stream, "hm")
        gate.open.set()
        after, result = await rest_of(stream)

    assert before == ["go", "hm"]
    assert after == ["a1", "hm", "b1"]
    assert texts(result) == ["go", "hm", "a1", "hm", "b1"]
    assert result.stop_reason == "Maximum number of turns 2 reached."


async def test_a_caller_joins_by_id_from_another_process_and_sees_the_whole_run() -> None:
    gate = Gate()
    async with served(gated(gate)) as (mesh, here):
        running = asyncio.create_task(remote("gated", here, "c").run(task="go"))
        await gate.reached.wait()
        running.cancel()
        await asyncio.wait({running})
        stream = remote("gated", await caller(mesh), "c").join()
        before = await until_shown(stream, "go")
        gate.open.set()
        after, result = await rest_of(stream)
        again = await rest_of(remote("gated", await caller(mesh), "c").join())

    committed = ["go", "hm", "a1", "hm", "b1"]
    assert [each for each in before + after if each != "hm"] == ["go", "a1", "b1"]
    assert texts(result) == committed
    assert again[0] == committed
    assert texts(again[1]) == committed


async def test_a_named_run_is_begun_once_and_joined_also_when_it_is_over() -> None:
    gate = Gate()
    gate.open.set()
    async with served(gated(gate)) as (mesh, here):
        first = await remote("gated", here, "c").run(task="go", run_name="order-1")
        again = await remote("gated", await caller(mesh), "c").run(task="go", run_name="order-1")
        other = await remote("gated", here, "c").run(task="go", run_name="order-2")

    assert texts(again) == texts(first) == ["go", "hm", "a1", "hm", "b1"]
    assert [message.id for message in again.messages] == [message.id for message in first.messages]
    assert texts(other) == ["go", "hm", "a2", "hm", "b2"]


async def test_a_second_task_is_refused_while_the_team_runs() -> None:
    gate = Gate()
    async with served(gated(gate)) as (_, here):
        team = remote("gated", here, "c")
        running = asyncio.create_task(team.run(task="go"))
        await gate.reached.wait()

        with pytest.raises(TeamError, match="already running"):
            await team.run(task="another")
        with pytest.raises(TeamError, match="must be stopped"):
            await team.reset()
        with pytest.raises(TeamError, match="while it is running"):
            await team.load_state({"agent_states": {}})
        gate.open.set()
        await running


async def test_cancelling_ends_the_run_for_all_and_the_team_runs_again() -> None:
    gate = Gate()
    async with served(gated(gate)) as (mesh, here):
        running = asyncio.create_task(remote("gated", here, "c").run(task="go"))
        await gate.reached.wait()
        await remote("gated", await caller(mesh), "c").cancel()
        with pytest.raises(RequestCancelledError):
            await running
        gate.open.set()

        assert texts(await remote("gated", here, "c").run(task="again")) == ["again", "hm", "b1", "hm", "a1"]


async def test_the_state_of_a_cancelled_conversation_is_there_to_be_saved() -> None:
    gate = Gate()
    async with served(gated(gate)) as (_, here):
        team = remote("gated", here, "c")
        running = asyncio.create_task(team.run(task="go"))
        await gate.reached.wait()
        await team.cancel()
        with pytest.raises(RequestCancelledError):
            await running

        async with asyncio.timeout(30):
            state = await team.save_state()

    assert len(state["agent_states"]) == 3


async def test_a_cancelled_token_cancels_the_run() -> None:
    gate, token = Gate(), CancellationToken()
    async with served(gated(gate)) as (_, here):
        team = remote("gated", here, "c")
        running = asyncio.create_task(team.run(task="go", cancellation_token=token))
        await gate.reached.wait()
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        with pytest.raises(RequestCancelledError):
            await rest_of(team.join())


async def test_a_paused_team_goes_on_when_it_is_resumed() -> None:
    gate = Gate()
    async with served(gated(gate)) as (mesh, here):
        team = remote("gated", here, "c")
        stream = team.run_stream(task="go")
        shown = await until_shown(stream, "hm")
        await team.pause()
        await is_paused(mesh, "gated.a")
        gate.open.set()
        shown += await until_shown(stream, "a1")
        gate.reached.clear()
        await is_paused(mesh, "gated.b")

        assert not gate.reached.is_set()

        await team.resume()
        rest, _ = await rest_of(stream)

    assert shown + rest == ["go", "hm", "a1", "hm", "b1"]


async def is_paused(mesh: MemoryMesh, agent_type: str) -> None:
    """Wait until the journal has an agent's pause."""
    while not any(lane.paused and lane.group.endswith(agent_type) for lane in mesh.store.lanes.values()):  # noqa: ASYNC110 - in the journal
        await asyncio.sleep(0.01)


async def test_an_error_of_a_participant_reaches_every_caller_with_class_and_text() -> None:
    gate = Gate()
    gate.fails = True
    gate.open.set()
    async with served(gated(gate)) as (mesh, here):
        with pytest.raises(TeamError, match="the gate is broken") as caught:
            await remote("gated", here, "c").run(task="go")
        with pytest.raises(TeamError) as joined:
            await rest_of(remote("gated", await caller(mesh), "c").join())
        gate.fails = False
        again = await remote("gated", here, "c").run(task="again")

    for error in (caught.value, joined.value):
        assert (error.error_type, error.error_message) == ("ZeroDivisionError", "the gate is broken")
    assert texts(again) == ["again", "hm", "b1", "hm", "a1"]


async def test_a_manager_that_cannot_begin_tells_its_caller() -> None:
    def make() -> RoundRobinGroupChat:
        return RoundRobinGroupChat([AssistantAgent("a", Calls().client())], max_turns=1, name="solo")

    async with served(make) as (_, here):
        task = TextMessage(content="x", source="user")
        task.type = "Unknown"  # type: ignore[assignment]
        with pytest.raises(TeamError) as caught:
            await remote("solo", here, "c").run(task=task)

    assert (caught.value.error_type, "Unknown" in caught.value.error_message) == ("MessageFormatError", True)


async def test_a_team_that_nobody_has_ever_served_is_unknown() -> None:
    async with MemoryMesh() as mesh:
        with pytest.raises(MissingTopicError):
            await RemoteTeam("nobody", await caller(mesh)).run(task="go")


async def test_a_team_without_a_process_ends_its_caller_by_the_deadline() -> None:
    gate = Gate()
    async with MemoryMesh(request_timeout_seconds=0.5) as mesh:
        process = await mesh.run(*TeamService(gated(gate)).services())
        await process.stop()

        with pytest.raises(RequestTimeoutError):
            await RemoteTeam("gated", await caller(mesh)).run(task="go")


async def test_a_question_is_announced_while_its_turn_waits_and_answered_from_elsewhere() -> None:
    async with served(desk) as (mesh, here):
        stream = remote("desk", here, "c").run_stream(task="what is it?")
        asked = await announced(stream)
        elsewhere = remote("desk", await caller(mesh), "c")
        joined = await announced(elsewhere.join())
        (question,) = await elsewhere.questions()
        await elsewhere.answer(asked, "a teapot")
        shown, result = await rest_of(stream)

    assert joined.request_id == asked.request_id
    assert question.agent == AgentId("desk.person", "c")
    assert shown == ["a teapot", "noted"]
    assert [type(message).__name__ for message in result.messages] == [
        "TextMessage",
        "UserInputRequestedEvent",
        "TextMessage",
        "TextMessage",
    ]


async def announced(stream: AsyncGenerator[Any, None]) -> Any:
    async for item in stream:
        if isinstance(item, UserInputRequestedEvent):
            return item
    raise AssertionError("nobody asks")


async def test_state_is_saved_reset_and_loaded_across_processes_and_in_a_script() -> None:
    gate = Gate()
    gate.open.set()
    async with served(gated(gate, turns=3)) as (mesh, here):
        team = remote("gated", here, "c")
        await team.run(task="go")
        state = json.loads(json.dumps(await remote("gated", await caller(mesh), "c").save_state()))
        await team.reset()
        anew = await team.run(task="anew")
        elsewhere = remote("gated", here, "d")
        await elsewhere.load_state(state)
        gone_on = await elsewhere.run(task="on")
    script = gated(gate, turns=3)()
    await script.load_state(state)

    assert texts(anew) == ["anew", "hm", "a1", "hm", "b1", "hm", "a2"]
    assert texts(gone_on) == texts(await script.run(task="on")) == ["on", "hm", "b2", "hm", "a3", "hm", "b3"]


async def test_fifty_interleaved_conversations_hear_nothing_of_each_other() -> None:
    calls = Calls()

    def make() -> RoundRobinGroupChat:
        agents = [AssistantAgent(name, calls.client()) for name in ("writer", "critic")]
        return RoundRobinGroupChat([*agents], max_turns=4, name="pair")

    async with served(make, idle_agents=5) as (_, here):
        results = await asyncio.gather(
            *(remote("pair", here, f"c{number}").run(task=f"<{number}>") for number in range(50))
        )

    assert [texts(result) for result in results] == [[f"<{number}>", *["a word"] * 4] for number in range(50)]
    assert len(calls.requests) == 200
    assert all(sum(f"<{number}>" in request for number in range(50)) == 1 for request in calls.requests)


def test_a_team_object_is_refused_with_the_two_lines_to_change() -> None:
    team = gated(Gate())()

    with pytest.raises(ConfigError) as caught:
        TeamService(team)  # type: ignore[arg-type]

    assert "def make_team() -> RoundRobinGroupChat:\n        return RoundRobinGroupChat(...)" in str(caught.value)


def test_a_factory_that_gives_the_same_team_again_is_refused() -> None:
    team = gated(Gate())()

    with pytest.raises(ConfigError, match="make them inside of the factory"):
        TeamService(lambda: team)


async def test_a_team_is_deployed_from_component_json() -> None:
    model = json.loads(desk().dump_component().model_dump_json())
    async with MemoryMesh() as mesh:
        here = await mesh.run(*TeamService(model, name="helpdesk").services())
        team = RemoteTeam("helpdesk", here)
        running = asyncio.create_task(team.run(task="what is it?"))
        question = await mesh.question("helpdesk.person")
        await mesh.answer(question, "a cup")
        result = await running

    assert texts(result)[-2:] == ["a cup", "noted"]


def test_members_are_served_one_by_one_and_others_refused() -> None:
    team = TeamService(desk)

    assert [service.name for service in team.services(["clerk"])] == ["desk.clerk"]
    assert [service.name for service in team.services()] == ["desk", "desk.person", "desk.clerk"]
    with pytest.raises(ConfigError, match="it has manager, person, clerk"):
        team.services(["cook"])
