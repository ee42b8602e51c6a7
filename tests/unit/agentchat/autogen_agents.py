"""Agents, tools, conditions and the console as JSON: `python autogen_agents.py autogen|agentopic`."""

import asyncio
import contextlib
import importlib
import io
import json
import re
import sys
import warnings
from collections.abc import AsyncGenerator, Mapping
from typing import Any

SEPARATOR = "_" if sys.argv[1] == "autogen" else "."


def module(name: str) -> Any:
    return importlib.import_module(f"{sys.argv[1]}{SEPARATOR}{name}")


core, models, core_tools = module("core"), module("core.models"), module("core.tools")
code, contexts = module("core.code_executor"), module("core.model_context")
agents, base, messages = module("agentchat.agents"), module("agentchat.base"), module("agentchat.messages")
conditions, tools, ui = module("agentchat.conditions"), module("agentchat.tools"), module("agentchat.ui")
replay = module("ext.models.replay")
local = module("ext.code_executors.local")

ABLE = {"vision": True, "function_calling": True, "json_output": True, "family": "unknown", "structured_output": True}
MINTED = ("id", "created_at", "full_message_id", "request_id", "description")


def client(*answers: Any, **able: Any) -> Any:
    return replay.ReplayChatCompletionClient(list(answers), {**ABLE, **able})


def calling(*calls: tuple[str, str], thought: str | None = None) -> Any:
    content = [core.FunctionCall(id=str(i), name=name, arguments=args) for i, (name, args) in enumerate(calls)]
    usage = models.RequestUsage(3, 4)
    return models.CreateResult(
        finish_reason="function_calls", content=content, usage=usage, cached=False, thought=thought
    )


def text(content: str, source: str = "user", **fields: Any) -> Any:
    return messages.TextMessage(content=content, source=source, **fields)


def without(value: Any, *names: str) -> Any:
    if isinstance(value, Mapping):
        return {key: without(item, *names) for key, item in value.items() if key not in names}
    return [without(item, *names) for item in value] if isinstance(value, list | tuple) else value


def plain(item: Any) -> Any:
    if isinstance(item, base.TaskResult):
        return ["result", [type(message).__name__ for message in item.messages], item.stop_reason]
    if isinstance(item, base.Response):
        return ["response", plain(item.chat_message), [plain(inner) for inner in item.inner_messages or ()]]
    return without(dict(item.dump()), *MINTED)


async def shown(stream: Any) -> list[Any]:
    items: list[Any] = []
    try:
        async for item in stream:
            items += [plain(item)]
    except RuntimeError as exc:
        items.append(["raised", str(exc).count("Failed to get user input") > 0])
    return items


async def streamed(agent: Any, *given: Any) -> list[Any]:
    return await shown(agent.on_messages_stream(list(given), core.CancellationToken()))


def dumped(component: Any) -> Any:
    return without(component.dump_component().model_dump(mode="json"), *MINTED)


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────


def thread() -> list[Any]:
    result = models.FunctionExecutionResult(content="x", name="f", call_id="1", is_error=False)
    return [
        text("hi", "a", models_usage=models.RequestUsage(5, 6)),
        messages.ToolCallExecutionEvent(source="a", content=[result]),
        messages.HandoffMessage(content="TERM", source="b", target="c"),
        messages.ThoughtEvent(content="DEEP", source="b"),
        messages.StopMessage(content="stop", source="c"),
        text("later", "d", models_usage=models.RequestUsage(1, 1)),
    ]


async def is_said(given: Any) -> bool:
    return any(message.source == "b" for message in given)


def external() -> Any:
    made = conditions.ExternalTermination()
    made.set()
    return made


CONDITIONS: dict[str, Any] = {
    "max": lambda: conditions.MaxMessageTermination(2),
    "max with events": lambda: conditions.MaxMessageTermination(2, include_agent_event=True),
    "max none": lambda: conditions.MaxMessageTermination(0),
    "mention": lambda: conditions.TextMentionTermination("TERM"),
    "mention in an event": lambda: conditions.TextMentionTermination("DEEP"),
    "mention by others": lambda: conditions.TextMentionTermination("TERM", sources=["a"]),
    "stop": conditions.StopMessageTermination,
    "total tokens": lambda: conditions.TokenUsageTermination(max_total_token=12),
    "prompt tokens": lambda: conditions.TokenUsageTermination(max_prompt_token=5),
    "completion tokens": lambda: conditions.TokenUsageTermination(max_completion_token=7, max_total_token=99),
    "handoff": lambda: conditions.HandoffTermination("c"),
    "no handoff": lambda: conditions.HandoffTermination("b"),
    "time": lambda: conditions.TimeoutTermination(0),
    "much time": lambda: conditions.TimeoutTermination(60.5),
    "source": lambda: conditions.SourceMatchTermination(["q", "b"]),
    "text": conditions.TextMessageTermination,
    "text of": lambda: conditions.TextMessageTermination("d"),
    "function": lambda: conditions.FunctionCallTermination("f"),
    "functional": lambda: conditions.FunctionalTermination(is_said),
    "functional sync": lambda: conditions.FunctionalTermination(lambda given: len(given) > 5),
    "external": external,
    "and": lambda: conditions.StopMessageTermination() & conditions.MaxMessageTermination(1),
    "or": lambda: conditions.StopMessageTermination() | conditions.HandoffTermination("c"),
    "nested": lambda: (
        (conditions.TextMentionTermination("hi") & conditions.StopMessageTermination())
        | conditions.MaxMessageTermination(99)
    ),
}


async def condition(make: Any) -> dict[str, Any]:
    steps: list[Any] = []
    for size in (1, 2, 6):
        made = make()
        for start in range(0, 6, size):
            steps += [await asked(made, thread()[start : start + size])]
        await made.reset()
        steps.append(made.terminated)
    try:
        config = dumped(make())
    except (NotImplementedError, ValueError):
        config = None
    if config and config["label"] == "TextMentionTermination":
        config["config"].pop("sources", None)  # AutoGen forgets them
    return {"steps": steps, "config": config}


async def asked(made: Any, given: list[Any]) -> Any:
    try:
        stop = await made(given)
    except base.TerminatedException as exc:
        return ["terminated", str(exc).rstrip(".")]
    except RuntimeError as exc:
        return ["terminated", str(exc).rstrip(".")]
    return [None if stop is None else plain(stop), made.terminated]


# ── agents ──────────────────────────────────────────────────────────────────────────────────────────────────


async def user_proxies() -> dict[str, Any]:
    async def later(prompt: str, token: Any) -> str:
        return f"{prompt}|{token is not None}|{bool(agents.UserProxyAgent.InputRequestContext.request_id())}"

    def fails(prompt: str) -> str:
        raise ValueError("no")

    handoff = messages.HandoffMessage(content="h", source="a", target="u")
    lost = messages.HandoffMessage(content="h", source="a", target="x")
    made = agents.UserProxyAgent("u", input_func=later)
    return {
        "async": await streamed(made, text("q")),
        "sync": await streamed(agents.UserProxyAgent("u", input_func=str.upper), text("q")),
        "run": await shown(made.run_stream(task="t")),
        "handoff": await streamed(made, text("q"), handoff),
        "handoff to another": await streamed(made, lost),
        "nothing": await streamed(made),
        "failure": await streamed(agents.UserProxyAgent("u", input_func=fails), text("q")),
        "cancelled": await cancelled_input(),
        "produces": [kind.__name__ for kind in made.produced_message_types],
        "state": dict(await made.save_state()),
        "config": dumped(made),
    }


async def cancelled_input() -> str:
    token = core.CancellationToken()

    async def waits(prompt: str, given: Any) -> str:
        waiting: asyncio.Future[str] = asyncio.Future()
        given.link_future(waiting)
        token.cancel()
        return await waiting

    try:
        await agents.UserProxyAgent("u", input_func=waits).on_messages([], token)
    except asyncio.CancelledError:
        return "cancelled"
    return "answered"


async def filters() -> dict[str, Any]:
    heard: list[Any] = []

    class Listener(agents.BaseChatAgent):  # type: ignore[misc, name-defined]
        produced_message_types = (messages.TextMessage,)

        async def on_messages(self, given: Any, cancellation_token: Any) -> Any:
            heard.append([message.content for message in given])
            return base.Response(chat_message=text("ok", self.name), inner_messages=[])

        async def on_reset(self, cancellation_token: Any) -> None: ...

    given = [text(f"{source}{i}", source) for i in range(3) for source in ("a", "b", "c")]
    for rules in (
        [("a", "last", 2), ("b", "first", 1)],
        [("b", None, None)],
        [("a", "first", 0), ("q", "last", 1)],
        [("a", "last", 9), ("a", "first", 1)],
        [("c", "first", None)],
        [],
    ):
        per_source = [agents.PerSourceFilter(source=s, position=p, count=c) for s, p, c in rules]
        made = agents.MessageFilterAgent("f", Listener("l", "d"), agents.MessageFilterConfig(per_source=per_source))
        heard.append(await streamed(made, *given))
        await made.on_messages(given, core.CancellationToken())
    inner = agents.AssistantAgent("a", client("x"))
    filtering = agents.MessageFilterConfig(per_source=[agents.PerSourceFilter(source="user")])
    made = agents.MessageFilterAgent("f", inner, filtering)
    return {"heard": heard, "run": await shown(made.run_stream(task="t")), "config": dumped(made)}


PRINTS = "```python\nprint(6 * 7)\n```"
FAILS = "so:\n```sh\necho no; exit 3\n```"
AGAIN, ENOUGH = '{"reason": "typo", "retry": true}', '{"reason": "hopeless", "retry": false}'
CODERS: dict[str, Any] = {
    "writes": ([PRINTS, "it is 42"], {}),
    "streams": ([PRINTS, "it is 42"], {"model_client_stream": True}),
    "says": (["no code"], {}),
    "other language": (["```js\n1\n```"], {}),
    "fails": ([FAILS, "it failed"], {}),
    "writes anew": ([FAILS, AGAIN, PRINTS, "it is 42"], {"max_retries_on_error": 3}),
    "gives up": ([FAILS, ENOUGH, "it failed"], {"max_retries_on_error": 3}),
    "too often": ([FAILS, AGAIN, FAILS, "it failed"], {"max_retries_on_error": 1}),
    "refused": ([PRINTS, "not allowed"], {"approval_func": lambda _: refusal()}),
}


def refusal() -> Any:
    return agents.ApprovalResponse(approved=False, reason="because")


async def approving(request: Any) -> Any:
    return agents.ApprovalResponse(approved="42" not in request.code, reason=request.code)


async def coders(work_dir: str) -> dict[str, Any]:
    executor = local.LocalCommandLineCodeExecutor(timeout=20, work_dir=work_dir)

    def made(*answers: Any, **options: Any) -> Any:
        given = client(*answers) if answers else None
        return agents.CodeExecutorAgent("c", executor, model_client=given, **options)

    two = text(f"{PRINTS} and ```sh\necho x\n```")
    results: dict[str, Any] = {}
    for name, (answers, options) in CODERS.items():
        results[name] = events_of(await streamed(made(*answers, **options), text("do")))
        results[f"{name} in a run"] = (await shown(made(*answers, **options).run_stream(task="do")))[-1]
    results |= {
        "runs given code": await streamed(made(), two),
        "finds none": [len(item) for item in await streamed(made(), text("hi"))],
        "of sources": await streamed(made(sources=["x"]), text(PRINTS, "x"), text("```python\nprint(1)\n```")),
        "async approval": await streamed(made(approval_func=approving), text(PRINTS)),
        "async refusal": await streamed(made(approval_func=approving), text("```python\n42\n```")),
        "blocks": [
            (block.language, block.code)
            for block in await made(supported_languages=["js"]).extract_code_blocks_from_messages(
                [
                    text("```js\n1\n```\n``` js\n2\n```\n```python\n3\n```\n```JS\n4```"),
                    messages.StopMessage(content="```js\n5\n```", source="x"),
                ]
            )
        ],
        "config": without(dumped(made("x", description="d", system_message="s")), "work_dir"),
        "warns": warned(made),
    }
    return results


def events_of(items: list[Any]) -> list[Any]:
    # The words that explain an output are each product's own; AutoGen's events carry no usage; the clients cut
    # their pieces differently.
    pieces = "ModelClientStreamingChunkEvent"
    return [event_of(item) for item in items if isinstance(item, list) or item["type"] != pieces]


def event_of(item: Any) -> Any:
    if isinstance(item, list):
        return [item[0], without(item[1], "models_usage"), item[2]]
    result = item.pop("result", None)
    return [without(item, "models_usage"), result and result["exit_code"]]


def warned(make: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
    return [warning.category.__name__ for warning in caught]


class Pair(base.Team):  # type: ignore[misc, name-defined]
    """Says two things for each task."""

    name, description = "pair", "two"

    def __init__(self, quiet: bool = False) -> None:
        self.quiet, self.log = quiet, []

    async def run(self, **given: Any) -> Any:
        return [item async for item in self.run_stream(**given)][-1]

    async def run_stream(
        self, *, task: Any = None, cancellation_token: Any = None, output_task_messages: bool = True
    ) -> AsyncGenerator[Any, None]:
        told = [text(task)] if isinstance(task, str) else list(task or ())
        self.log.append([(type(m).__name__, m.source, m.content, len(getattr(m, "context", ()))) for m in told])
        said = [] if self.quiet else [text("one", "x"), messages.ThoughtEvent(content="h", source="y"), text("2", "y")]
        if output_task_messages:
            said = [*told, *said]
        for message in said:
            yield message
        yield messages.ModelClientStreamingChunkEvent(content="2", source="y") if not self.quiet else text("q", "z")
        yield base.TaskResult(messages=said, stop_reason="done")

    async def reset(self) -> None:
        self.log.append("reset")

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def save_state(self) -> Any:
        return {"said": len(self.log)}

    async def load_state(self, state: Any) -> None:
        self.log = ["loaded"] * state["said"]


async def societies() -> dict[str, Any]:
    results: dict[str, Any] = {}
    for several in (True, False):
        team = Pair()
        told = client("short", "shorter", multiple_system_messages=several)
        made = agents.SocietyOfMindAgent("s", team, told, instruction="before", response_prompt="after")
        first = await streamed(made, text("task"))
        second = await shown(made.run_stream(task=[text("more"), text("again")]))
        state = await made.save_state()
        context = await made.model_context.get_messages()
        results[f"several system messages: {several}"] = {
            "first": first,
            "second": second,
            "team": team.log,
            "asked": [[message.model_dump() for message in call["messages"]] for call in told.create_calls],
            "state": {name: state[name] for name in ("type", "version", "inner_team_state")},
            "context": [message.model_dump() for message in context],
        }
    return results


async def tool_users() -> dict[str, Any]:
    inner = agents.AssistantAgent("inner", client("answer", "other"), description="knows")
    agent_tool = tools.AgentTool(inner)
    last = tools.AgentTool(agents.AssistantAgent("last", client("answer")), return_value_as_last_message=True)
    team_tool = tools.TeamTool(Pair(), "pair", "two")
    results: dict[str, Any] = {
        "schema": [agent_tool.schema, team_tool.schema],
        "config": without(dumped(agent_tool), "description"),
        "team as text": team_tool.return_value_as_string(
            await team_tool.run_json({"task": "t"}, core.CancellationToken())
        ),
    }
    for name, tool in {"inner": agent_tool, "last": last, "pair": team_tool}.items():
        outer = agents.AssistantAgent(
            "outer", client(calling((name, '{"task": "sub"}')), "done"), tools=[tool], max_tool_iterations=2
        )
        results[name] = await shown(outer.run_stream(task="t"))
    results["state"] = dict(await agent_tool.save_state_json())
    return results


async def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def picture(name: str = "n") -> Any:
    raise KeyError(name)


ADD = ("add", '{"a":1,"b":2}')
BOB = ("transfer_to_bob", "{}")
ASSISTANTS: dict[str, Any] = {
    "handoff with thought": ([calling(BOB, thought="hm")], {"handoffs": ["bob"]}),
    "handoff with thought and tools": ([calling(ADD, BOB, thought="hm")], {"handoffs": ["bob"], "tools": [add]}),
    "handoff after tools": (
        [calling(ADD), calling(BOB)],
        {"handoffs": [base.Handoff(target="bob", message="yours")], "tools": [add], "max_tool_iterations": 3},
    ),
    "reflection in pieces": (
        [calling(ADD), "it is 3"],
        {"tools": [add], "reflect_on_tool_use": True, "model_client_stream": True},
    ),
    "iterations in pieces": (
        [calling(ADD), "it is 3"],
        {"tools": [add], "max_tool_iterations": 4, "model_client_stream": True},
    ),
    "iterations and reflection": (
        [calling(ADD), calling(ADD), "it is 3"],
        {"tools": [add], "max_tool_iterations": 2, "reflect_on_tool_use": True},
    ),
    "failing tool": ([calling(("picture", "{}"))], {"tools": [picture]}),
    "arguments missing": ([calling(("add", "{}"))], {"tools": [add]}),
    "no tools at all": ([calling(ADD)], {}),
    "repeated call": ([calling(ADD, ADD)], {"tools": [add]}),
    "summary by function": (
        [calling(ADD)],
        {"tools": [add], "tool_call_summary_formatter": lambda call, result: f"{call.name}:{result.content}"},
    ),
    "metadata": (["hi"], {"metadata": {"k": "v"}}),
    "empty": ([""], {}),
    "small context": (["hi"], {"model_context": contexts.BufferedChatCompletionContext(1)}),
    "tools and handoffs": ([calling(ADD)], {"tools": [add], "handoffs": ["bob"], "reflect_on_tool_use": False}),
}


async def assistants() -> dict[str, Any]:
    results: dict[str, Any] = {}
    image = core.Image.from_base64(PIXEL)
    told = messages.HandoffMessage(
        content="h", source="x", target="a", context=[models.UserMessage(content="before", source="x")]
    )
    seen = messages.MultiModalMessage(content=["look", image], source="user")
    for name, (answers, options) in ASSISTANTS.items():
        made = agents.AssistantAgent("a", client(*answers), **options)
        results[name] = [await streamed(made, text("t")), without(dict(await made.save_state()), "thought")]
        again = agents.AssistantAgent("a", client(*answers), **options)
        results[f"{name} at once"] = plain(await again.run(task="t", output_task_messages=False))
    made = agents.AssistantAgent("a", client("one", "two", "three", vision=False))
    results["handoff to it"] = await streamed(made, told)
    results["unseen image"] = await streamed(made, seen)
    results["no task"] = await shown(made.run_stream())
    results["conversation"] = dict(await made.save_state())
    results["refused"] = {name: refused(make) for name, make in REFUSED.items()}
    return results


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
REFUSED: dict[str, Any] = {
    "name": lambda: agents.AssistantAgent("a b", client()),
    "iterations": lambda: agents.AssistantAgent("a", client(), max_tool_iterations=0),
    "two tools": lambda: agents.AssistantAgent("a", client(), tools=[add, add]),
    "tool and handoff": lambda: agents.AssistantAgent(
        "a", client(), tools=[add], handoffs=[base.Handoff(target="x", name="add")]
    ),
    "two handoffs": lambda: agents.AssistantAgent("a", client(), handoffs=["x", "x"]),
    "tools and workbench": lambda: agents.AssistantAgent(
        "a", client(), tools=[add], workbench=core_tools.StaticWorkbench([])
    ),
    "no function calling": lambda: agents.AssistantAgent("a", client(function_calling=False), tools=[add]),
    "no handoff calling": lambda: agents.AssistantAgent("a", client(function_calling=False), handoffs=["x"]),
    "no tool": lambda: agents.AssistantAgent("a", client(), tools=[3]),
    "no handoff": lambda: agents.AssistantAgent("a", client(), handoffs=[3]),
    "retries without a model": lambda: agents.CodeExecutorAgent("c", None, max_retries_on_error=1),
    "message type": lambda: messages.MessageFactory().create({"type": "Unheard"}),
    "no message type": lambda: messages.MessageFactory().create({}),
    "message again": lambda: messages.MessageFactory().register(messages.TextMessage),
    "message field": lambda: messages.MessageFactory().create({"type": "TextMessage", "source": "a"}),
    "no budget": conditions.TokenUsageTermination,
}


def refused(make: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            make()
        except ValueError:
            return "ValueError"
        except TypeError:
            return "TypeError"
    return None


# ── components ──────────────────────────────────────────────────────────────────────────────────────────────


def written(work_dir: str) -> dict[str, Any]:
    told = agents.AssistantAgent(
        "a",
        client("x"),
        tools=[add],
        handoffs=["bob"],
        description="d",
        model_client_stream=True,
        model_context=contexts.HeadAndTailChatCompletionContext(1, 2),
        max_tool_iterations=4,
        metadata={"k": "v"},
    )
    filtering = agents.MessageFilterConfig(per_source=[agents.PerSourceFilter(source="user", position="last", count=2)])
    executor = local.LocalCommandLineCodeExecutor(timeout=9, work_dir=work_dir)
    made = {
        "assistant": told,
        "user proxy": agents.UserProxyAgent("u", description="d"),
        "filter": agents.MessageFilterAgent("f", told, filtering),
        "coder": agents.CodeExecutorAgent("c", executor, model_client=client("x"), sources=["a"], system_message="s"),
        "agent tool": tools.AgentTool(told, return_value_as_last_message=True),
        **{name: make() for name, make in CONDITIONS.items() if not name.startswith("functional")},
    }
    return {name: component.dump_component().model_dump(mode="json") for name, component in made.items()}


# ── console ─────────────────────────────────────────────────────────────────────────────────────────────────


async def consoles() -> dict[str, Any]:
    printed: dict[str, Any] = {}
    for stats in (False, True):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            made = agents.AssistantAgent("a", client(calling(ADD), "done"), tools=[add], max_tool_iterations=2)
            await ui.Console(made.run_stream(task="t"), output_stats=stats)
            made = agents.AssistantAgent("a", client("x"))
            await ui.Console(made.on_messages_stream([text("t")], core.CancellationToken()), output_stats=stats)
        printed[f"stats: {stats}"] = re.sub(r"[\d.]+ seconds", "n seconds", out.getvalue())
    return printed


async def main(work_dir: str) -> None:
    warnings.simplefilter("ignore")
    result = {
        "conditions": {name: await condition(make) for name, make in CONDITIONS.items()},
        "user proxies": await user_proxies(),
        "filters": await filters(),
        "coders": await coders(work_dir),
        "societies": await societies(),
        "tools": await tool_users(),
        "assistants": await assistants(),
        "console": await consoles(),
        "written": written(work_dir),
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(main(directory))
