"""What a run of a team promises its caller: an end, the original error, and a team that can run again."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from agentopic import DurableRuntime
from agentopic.agentchat.teams._group_chat._carried import Carried
from agentopic.agentchat.teams._group_chat._events import GroupChatAgentResponse, GroupChatMessage
from agentopic.core import CancellationToken, SingleThreadedAgentRuntime, TopicId
from agentopic.errors import TeamError

from .casts import Cast

C = Cast()
T = C.teams


class Waiter(C.Teller):  # type: ignore[misc, name-defined]
    """Waits until it is cancelled, the first time."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.waits = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def on_messages(self, messages: Any, cancellation_token: CancellationToken) -> Any:
        if self.spoken == 0:
            self.spoken = 1
            self.waits.set()
            await cancellation_token.link_future(asyncio.ensure_future(self.goes_on.wait()))
        return await super().on_messages(messages, cancellation_token)


async def texts(team: Any, **given: Any) -> list[str]:
    return [message.to_text() for message in (await team.run(**given)).messages]


async def test_an_error_of_a_participant_reaches_the_caller_with_class_and_text() -> None:
    team = T.RoundRobinGroupChat([C.Teller("a"), C.Teller("b", fails_at=1)], max_turns=2)

    with pytest.raises(RuntimeError, match="ValueError: b is lost") as caught:
        await team.run(task="hi")

    assert isinstance(caught.value, TeamError)
    assert (caught.value.error_type, caught.value.error_message) == ("ValueError", "b is lost")


async def test_a_team_runs_again_after_an_error() -> None:
    team = T.RoundRobinGroupChat([C.Teller("a"), C.Teller("b", fails_at=1)], max_turns=3)
    with pytest.raises(TeamError):
        await team.run(task="hi")

    assert await texts(team, task="again") == ["again", "a2", "b2"]


async def test_a_graph_asks_those_again_who_were_interrupted() -> None:
    agents, graph = C.graph(("a", "b"), ("b", "c"), b=C.Teller("b", fails_at=1))
    team = T.GraphFlow(agents, graph)
    with pytest.raises(TeamError):
        await team.run(task="hi")
    state = json.loads(json.dumps(await team.save_state()))
    again = T.GraphFlow(*C.graph(("a", "b"), ("b", "c")))

    await again.load_state(state)

    assert await texts(again) == ["b2", "c1"]


async def test_cancelling_the_token_ends_the_run_and_the_team_runs_again() -> None:
    waiter, token = Waiter("a"), CancellationToken()
    team = T.RoundRobinGroupChat([waiter, C.Teller("b")], max_turns=2)
    running = asyncio.create_task(team.run(task="hi", cancellation_token=token))
    await waiter.waits.wait()

    token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert await texts(team, task="again") == ["again", "b1", "a2"]


async def test_cancelling_the_callers_task_cancels_what_participants_do() -> None:
    waiter = Waiter("a")
    team = T.RoundRobinGroupChat([waiter, C.Teller("b")], max_turns=2)
    running = asyncio.create_task(team.run(task="hi"))
    await waiter.waits.wait()

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert await texts(team, task="again") == ["again", "b1", "a2"]


async def test_a_caller_that_leaves_with_the_result_can_run_the_team_again_at_once() -> None:
    team = T.RoundRobinGroupChat(C.tellers("a"), max_turns=1)
    async for item in team.run_stream(task="hi"):
        if isinstance(item, C.base.TaskResult):
            break

    assert await texts(team, task="again") == ["again", "a2"]


async def test_pause_and_resume_reach_the_agents_while_one_speaks_and_between_runs() -> None:
    waiter, other = Waiter("a"), C.Teller("b")
    team = T.RoundRobinGroupChat([waiter, other], max_turns=1)
    running = asyncio.create_task(team.run(task="hi"))
    await waiter.waits.wait()

    await team.pause()
    waiter.goes_on.set()
    await running
    await team.resume()

    assert waiter.calls == other.calls == ["pause", "resume"]


async def test_two_runs_at_once_are_refused() -> None:
    waiter = Waiter("a")
    team = T.RoundRobinGroupChat([waiter], max_turns=1)
    running = asyncio.create_task(team.run(task="hi"))
    await waiter.waits.wait()

    with pytest.raises(ValueError, match="already running"):
        await team.run(task="again")
    with pytest.raises(RuntimeError, match="must be stopped"):
        await team.reset()
    with pytest.raises(RuntimeError, match="while it is running"):
        await team.load_state({})

    waiter.goes_on.set()
    await running


async def test_messages_of_an_earlier_run_are_dropped() -> None:
    runtime = SingleThreadedAgentRuntime()
    runtime.start()
    team = T.RoundRobinGroupChat(C.tellers("ab"), max_turns=1, runtime=runtime)
    await team.run(task="first")
    late = Carried(C.text("late", "a"))
    source = team._team_id

    shown: list[str] = []
    async for item in team.run_stream(task="second"):
        if not shown:
            group = TopicId(team._addresses.group, source)
            await runtime.publish_message(
                GroupChatMessage(run=1, message=late), TopicId(team._addresses.output, source)
            )
            await runtime.publish_message(GroupChatAgentResponse(run=1, name="b", chat_message=late), group)
        shown.append(item.stop_reason if isinstance(item, C.base.TaskResult) else item.to_text())
    await runtime.stop_when_idle()

    assert shown == ["second", "b1", "Maximum number of turns 1 reached."]


async def test_a_run_in_which_nobody_has_anything_to_do_ends_with_an_error() -> None:
    class Silent(T.RoundRobinGroupChat):  # type: ignore[misc, name-defined]
        """Asks nobody."""

        def _create_group_chat_manager_factory(self, **setup: Any) -> Any:
            manager = super()._create_group_chat_manager_factory(**setup)()

            async def nobody(thread: Any) -> list[str]:
                return []

            manager.select_speaker = nobody
            return lambda: manager

    team = Silent(C.tellers("a"))

    with pytest.raises(TeamError, match="standstill"):
        await team.run(task="hi")


async def test_a_state_saved_in_the_middle_of_a_run_knows_what_conditions_have_counted() -> None:
    waiter = Waiter("b")
    ends = C.conditions.MaxMessageTermination(4)
    team = T.RoundRobinGroupChat([C.Teller("a"), waiter], termination_condition=ends)
    token = CancellationToken()
    running = asyncio.create_task(team.run(task="hi", cancellation_token=token))
    await waiter.waits.wait()
    state = json.loads(json.dumps(await team.save_state()))
    token.cancel()
    await asyncio.wait((running,))

    again = T.RoundRobinGroupChat(C.tellers("ab"), termination_condition=C.conditions.MaxMessageTermination(4))
    await again.load_state(state)

    assert await texts(again) == ["a2", "b2"]


async def test_a_team_runs_on_a_durable_runtime_as_long_as_the_process_lives() -> None:
    runtime = DurableRuntime("memory://teams", "memory://teams", namespace="t")
    await runtime.start()
    inner = T.RoundRobinGroupChat(C.tellers("xy"), max_turns=2, name="inner")
    team = T.RoundRobinGroupChat([C.Teller("a", inner=True), inner], max_turns=2, runtime=runtime)

    shown = [item.to_text() async for item in team.run_stream(task="hi") if not isinstance(item, C.base.TaskResult)]
    state = await team.save_state()
    await team.reset()
    again = await texts(team, task="again")
    await runtime.stop()

    assert shown == ["hi", "hm", "a1", "x1", "y1"]
    assert set(state["agent_states"]) == {"a", "inner", "RoundRobinGroupChatManager"}
    assert again == ["again", "hm", "a1", "x1", "y1"]


async def test_a_failing_participant_on_a_durable_runtime_ends_the_run() -> None:
    runtime = DurableRuntime("memory://failing", "memory://failing", namespace="t")
    await runtime.start()
    team = T.RoundRobinGroupChat([C.Teller("a", fails_at=1)], max_turns=1, runtime=runtime)

    with pytest.raises(TeamError, match="ValueError: a is lost"):
        await team.run(task="hi")

    again = await texts(team, task="again")
    await runtime.stop()
    assert again[-1] == "a2"


@pytest.mark.parametrize("limits", [{"max_turns": 2}, {"termination_condition": C.conditions.MaxMessageTermination(3)}])
async def test_limits_count_anew_after_a_stream_that_was_left(limits: dict[str, Any]) -> None:
    team = T.RoundRobinGroupChat([C.Teller("a"), C.Teller("b")], **limits)
    async with aclosing(team.run_stream(task="hi")) as stream:
        async for item in stream:
            if item.source == "a":
                break

    after = await team.run(task="again")

    assert len(after.messages) == 3
