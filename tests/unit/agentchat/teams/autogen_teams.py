"""Runs the same teams on AutoGen or agentopic and prints what they said and kept: `autogen_teams.py <product>`."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from casts import Cast, ledger

PRODUCT = sys.argv[1]
C = Cast(PRODUCT)
T, K, CLIENT = C.teams, C.conditions, C.client
PROMPT = "R:{roles}|P:{participants}|H:{history}"


def round_robin(names: str = "ab", **options: Any) -> Any:
    return T.RoundRobinGroupChat(C.tellers(names), **options)


def selector(*answers: str, names: str = "abc", **options: Any) -> Any:
    options = {"selector_prompt": PROMPT, "max_turns": 3, **options}
    return T.SelectorGroupChat(C.tellers(names), CLIENT(*answers), **options)


def swarm(**options: Any) -> Any:
    agents = [C.Teller("a", hands_to=("b", "c")), C.Teller("b", hands_to=("a",)), C.Teller("c")]
    return T.Swarm(agents, **options)


def graph(*edges: Any, entry: str | None = None, tellers: Any = None, **options: Any) -> Any:
    agents, built = C.graph(*edges, entry=entry, **(tellers or {}))
    return T.GraphFlow(agents, built, **options)


def diamond(**options: Any) -> Any:
    return graph(("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), **options)


def loop() -> Any:
    edges = ("a", "b"), ("b", "a", {"condition": "again"}), ("b", "c", {"condition": "done"})
    return graph(*edges, entry="a", tellers={"b": C.Teller("b", "again", "again", "done")}, max_turns=20)


def any_group() -> Any:
    group = {"activation_group": "g", "activation_condition": "any"}
    edges = ("a", "b"), ("a", "c"), ("b", "d", group), ("c", "d", group), ("d", "a", {"condition": "again"})
    end = ("d", "e", {"condition": "end"})
    return graph(*edges, end, entry="a", tellers={"d": C.Teller("d", "again", "end")}, max_turns=20)


def magentic(*answers: str, **options: Any) -> Any:
    return T.MagenticOneGroupChat(C.tellers("ab"), CLIENT("facts", "plan", *answers), **options)


def nested() -> Any:
    inner = T.RoundRobinGroupChat([C.Teller("x", inner=True), C.Teller("y")], max_turns=2, name="inner")
    return T.RoundRobinGroupChat([inner, C.Teller("c")], max_turns=3, emit_team_events=True)


DONE = ledger(satisfied=True)
TEAMS: dict[str, tuple[Callable[[], Any], list[Any]]] = {
    "max turns": (lambda: round_robin(max_turns=3), ["hi", "again", None]),
    "condition": (lambda: round_robin(termination_condition=K.MaxMessageTermination(4)), ["hi", None]),
    "condition at once": (lambda: round_robin(termination_condition=K.MaxMessageTermination(1)), ["hi"]),
    "text mention or turns": (
        lambda: round_robin(termination_condition=K.TextMentionTermination("b1") | K.MaxMessageTermination(9)),
        ["hi", "next"],
    ),
    "both conditions": (
        lambda: round_robin(termination_condition=K.SourceMatchTermination(["a"]) & K.MaxMessageTermination(4)),
        ["hi", "next"],
    ),
    "events": (lambda: T.RoundRobinGroupChat(C.tellers("ab", inner=True), max_turns=2, emit_team_events=True), ["hi"]),
    "several messages": (lambda: round_robin(max_turns=2), [[C.text("x"), C.text("y", "boss")]]),
    "nested": (nested, ["hi", "again"]),
    "failing": (lambda: T.RoundRobinGroupChat([C.Teller("a"), C.Teller("b", fails_at=1)], max_turns=3), ["hi"]),
    "selector": (lambda: selector("a", "b", "c"), ["hi"]),
    "selector events": (lambda: selector("a", "b", "c", emit_team_events=True), ["hi"]),
    "selector streaming": (
        lambda: selector("a", "b", "c", emit_team_events=True, model_client_streaming=True),
        ["hi"],
    ),
    "selector streaming quietly": (lambda: selector("a", "b", "c", model_client_streaming=True), ["hi"]),
    "selector repeated": (lambda: selector("a", "a", "a", "a", max_turns=2), ["hi"]),
    "selector repeating": (lambda: selector("a", "a", "a", allow_repeated_speaker=True), ["hi"]),
    "selector nobody": (lambda: selector("q", "", "nobody", max_turns=1), ["hi"]),
    "selector several": (lambda: selector("a and b", "b", max_turns=1), ["hi"]),
    "selector few attempts": (lambda: selector("q", max_turns=1, max_selector_attempts=1), ["hi"]),
    "selector function": (
        lambda: selector("c", "a", selector_func=lambda said: "b" if len(said) == 1 else None),
        ["hi"],
    ),
    "selector wrong function": (lambda: selector("c", selector_func=lambda said: "z"), ["hi"]),
    "selector candidates": (lambda: selector("b", "c", "b", candidate_func=lambda said: ["b", "c"]), ["hi"]),
    "selector no candidates": (lambda: selector("b", candidate_func=lambda said: []), ["hi"]),
    "selector wrong candidates": (lambda: selector("b", candidate_func=lambda said: ["z"]), ["hi"]),
    "selector of two": (lambda: selector("a", "b", "a", names="ab"), ["hi"]),
    "swarm": (lambda: swarm(max_turns=4, emit_team_events=True), ["hi"]),
    "swarm to outside": (
        lambda: T.Swarm([C.Teller("a", hands_to=("user",))], termination_condition=K.HandoffTermination("user")),
        ["hi", C.messages.HandoffMessage(content="back", source="user", target="a")],
    ),
    "diamond": (diamond, ["hi", "again"]),
    "diamond in two turns": (lambda: diamond(max_turns=2), ["hi", "again"]),
    "diamond stopped": (lambda: diamond(termination_condition=K.SourceMatchTermination(["a"])), ["hi", "again"]),
    "loop": (loop, ["hi", "again"]),
    "any group": (any_group, ["hi"]),
    "magentic": (lambda: magentic(ledger(), ledger("b"), DONE, "final", emit_team_events=True), ["hi"]),
    "magentic stalls": (
        lambda: magentic(ledger(progress=False), ledger(loop=True), "F", "P", ledger("b"), DONE, "fin", max_stalls=2),
        ["hi"],
    ),
    "magentic rounds": (lambda: magentic(ledger(), ledger(), "final", max_turns=1), ["hi"]),
    "magentic condition": (
        lambda: magentic(ledger(), ledger("b"), termination_condition=K.MaxMessageTermination(2)),
        ["hi"],
    ),
}


def random_graph(seed: int) -> Any:
    draw = random.Random(seed)
    names = "abcdef"[: draw.randint(3, 6)]
    tellers = {name: C.Teller(name, *draw.choices(["yes", "no", "yes no"], k=3)) for name in names}
    edges: list[Any] = []
    for place, name in enumerate(names[:-1]):
        is_conditional = draw.random() < 0.5
        for target in draw.sample(names, k=draw.randint(1, 3)):
            is_back = names.index(target) <= place
            if is_back and not is_conditional:
                continue
            options: dict[str, Any] = {"condition": draw.choice(["yes", "no"])} if is_conditional else {}
            if draw.random() < 0.3:
                options["activation_group"] = f"{target}{draw.choice('12')}"
            if options.get("activation_group", target).endswith("1"):
                options["activation_condition"] = "any"
            edges.append((name, target, options))
    builder = T.DiGraphBuilder()
    for name in names:
        builder.add_node(tellers[name], activation=draw.choice(["all", "any"]))
    for source, target, options in edges:
        builder.add_edge(source, target, **options)
    builder.set_entry_point("a")
    return T.GraphFlow(builder.get_participants(), builder.build(), max_turns=12)


def plain(value: Any) -> Any:
    """Without ids and times, and with the texts that each product words itself left out."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in {"id", "created_at", "full_message_id"}}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return "<plan>" if isinstance(value, str) and "tells of" in value else value


def shown(item: Any) -> Any:
    if isinstance(item, C.base.TaskResult):
        return ["result", [type(message).__name__ for message in item.messages], item.stop_reason]
    return plain(dict(item.dump()))


async def conversation(team: Any, tasks: list[Any]) -> dict[str, Any]:
    runs: list[Any] = []
    for task in tasks:
        run: list[Any] = []
        try:
            async for item in team.run_stream(task=task):
                run.append(shown(item))  # noqa: PERF401 - what was shown before an error counts
        except (ValueError, RuntimeError) as exc:
            kind = RuntimeError if isinstance(exc, RuntimeError) else ValueError
            run.append([kind.__name__, str(exc).partition("\n")[0]])
        runs.append(run)
    failed = any(run and run[-1][0] == "RuntimeError" for run in runs if isinstance(run[-1], list))
    return {"runs": runs, "state": None if failed else plain(dict(await team.save_state()))}


async def carried_on(state: Any) -> Any:
    team = round_robin("abc", max_turns=2)
    await team.load_state(state)
    return [shown(item) async for item in team.run_stream(task="after")]


def dumped(team: Any) -> Any:
    """Without descriptions of classes and without prompts, which each product words itself."""

    def known(value: Any) -> Any:
        if isinstance(value, dict):
            own = {"selector_prompt", "final_answer_prompt", *(["description"] if "provider" in value else [])}
            return {name: known(item) for name, item in value.items() if name not in own}
        return [known(item) for item in value] if isinstance(value, list) else value

    return known(team.dump_component().model_dump(mode="json"))


def components() -> dict[str, Any]:
    def agents(*names: str) -> list[Any]:
        return [C.agents.AssistantAgent(name, CLIENT("x", function_calling=True), handoffs=["b"]) for name in names]

    edge = T.DiGraphEdge(target="b", condition="yes")
    built = T.DiGraph(nodes={"a": T.DiGraphNode(name="a", edges=[edge]), "b": T.DiGraphNode(name="b")})
    ends = K.MaxMessageTermination(3) | K.TextMentionTermination("T")
    made = {
        "round robin": T.RoundRobinGroupChat(agents("a", "b"), max_turns=2, termination_condition=ends),
        "nested": T.RoundRobinGroupChat([T.RoundRobinGroupChat(agents("a"), name="in"), *agents("b")]),
        "selector": T.SelectorGroupChat(
            agents("a", "b"), CLIENT("x"), model_context=C.contexts.BufferedChatCompletionContext(3)
        ),
        "swarm": T.Swarm(agents("a", "b"), emit_team_events=True),
        "graph": T.GraphFlow(agents("a", "b"), built),
        "magentic": T.MagenticOneGroupChat(agents("a"), CLIENT("x")),
    }
    return {name: dumped(type(team).load_component(team.dump_component())) for name, team in made.items()}


async def main(given: Any) -> None:
    warnings.simplefilter("ignore")
    logging.disable()
    saved = round_robin("abc", max_turns=2)
    await saved.run(task="before")
    result = {
        "conversations": {name: await conversation(make(), tasks) for name, (make, tasks) in TEAMS.items()},
        "graphs": [await conversation(random_graph(seed), ["go", "again"]) for seed in range(60)],
        "components": components(),
        "raw components": {
            "team": T.RoundRobinGroupChat([C.agents.AssistantAgent("a", CLIENT("x"))], max_turns=2)
            .dump_component()
            .model_dump(mode="json")
        },
        "state": dict(await saved.save_state()),
    }
    if given is not None:
        result["carried on"] = await carried_on(given["state"])
        T.RoundRobinGroupChat.load_component(given["raw components"]["team"])
    json.dump(result, sys.stdout)


OTHER = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")) if len(sys.argv) > 2 else None
asyncio.run(main(OTHER))
