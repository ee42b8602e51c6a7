"""A team that is put away and made anew between every two messages says the same, for the same reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentopic.agentchat.base import TaskResult

from .casts import Cast, ledger
from .put_away import PutAwayRuntime

C = Cast()
T, K = C.teams, C.conditions
CONDITION = {
    "max messages": lambda: K.MaxMessageTermination(5),
    "both": lambda: K.SourceMatchTermination(["a"]) & K.MaxMessageTermination(6),
    "either": lambda: K.TextMentionTermination("b2") | K.MaxMessageTermination(9),
}


def round_robin(ends: Callable[[], Any] | None = None) -> Callable[[], Callable[[], Any]]:
    def world() -> Callable[[], Any]:
        return lambda: T.RoundRobinGroupChat(
            C.tellers("ab", inner=True),
            max_turns=6,
            emit_team_events=True,
            termination_condition=None if ends is None else ends(),
        )

    return world


def selector() -> Callable[[], Any]:
    model = C.client("c", "a", "c or b", "b", "c", "b", "a", "c", "a", "b", "c", "a")
    return lambda: T.SelectorGroupChat(C.tellers("abc"), model, max_turns=4, emit_team_events=True)


def swarm() -> Callable[[], Any]:
    def team() -> Any:
        agents = [C.Teller("a", hands_to=("b", "c")), C.Teller("b", hands_to=("a",)), C.Teller("c")]
        return T.Swarm(agents, max_turns=5)

    return team


def diamond() -> Callable[[], Any]:
    def team() -> Any:
        return T.GraphFlow(*C.graph(("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")))

    return team


def loop() -> Callable[[], Any]:
    group = {"activation_group": "g", "activation_condition": "any"}
    edges = ("a", "b"), ("a", "c"), ("b", "d", group), ("c", "d", group), ("d", "a", {"condition": "again"})

    def team() -> Any:
        agents, graph = C.graph(
            *edges, ("d", "e", {"condition": "end"}), entry="a", d=C.Teller("d", "again", "again", "end")
        )
        return T.GraphFlow(agents, graph, termination_condition=K.MaxMessageTermination(40))

    return team


def magentic() -> Callable[[], Any]:
    stalls = ledger(progress=False)
    answers = "facts", "plan", ledger(), stalls, stalls, "F", "P", ledger("b"), ledger(satisfied=True), "done"
    again = "facts", "plan", ledger("b"), ledger(satisfied=True), "done again"
    model = C.client(*answers, *again)
    return lambda: T.MagenticOneGroupChat(C.tellers("ab"), model, max_stalls=2)


def nested() -> Callable[[], Any]:
    def team() -> Any:
        inner = T.RoundRobinGroupChat([C.Teller("x", inner=True), C.Teller("y")], max_turns=3, name="inner")
        return T.RoundRobinGroupChat([inner, C.Teller("c")], max_turns=3)

    return team


WORLDS: dict[str, tuple[str, Callable[[], Callable[[], Any]]]] = {
    "round robin": ("a b", round_robin()),
    **{f"round robin, {name}": ("a b", round_robin(ends)) for name, ends in CONDITION.items()},
    "selector": ("a b c", selector),
    "swarm": ("a b c", swarm),
    "diamond": ("a b c d e", diamond),
    "loop": ("a b c d e", loop),
    "magentic": ("a b", magentic),
    "nested": ("inner c", nested),
}


async def undisturbed(team: Any, task: str) -> tuple[list[tuple[str, str, str]], str | None]:
    said: list[tuple[str, str, str]] = []
    async for item in team.run_stream(task=task):
        if isinstance(item, TaskResult):
            return said, item.stop_reason
        said.append((type(item).__name__, item.source, item.to_text()))
    raise AssertionError("no result")


@pytest.mark.parametrize("live", [True, False], ids=["live", "at once"])
@pytest.mark.parametrize("name", WORLDS)
async def test_a_team_put_away_between_every_two_messages_says_the_same(name: str, live: bool) -> None:
    names, world = WORLDS[name]
    team, runtime = world()(), PutAwayRuntime(world(), names.split(), live=live)

    expected = [await undisturbed(team, task) for task in ("first", "second")]
    actual = [await runtime.run(task) for task in ("first", "second")]

    if live or name not in {"diamond", "loop"}:
        assert actual == expected
    else:  # what parallel speakers say at once is in another order than what they say live
        assert [(sorted(said), reason) for said, reason in actual] == [(sorted(said), r) for said, r in expected]
    assert runtime.made > 10
