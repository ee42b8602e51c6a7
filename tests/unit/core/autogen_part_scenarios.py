"""Scenarios of the sub-packages, run against one package: `python autogen_part_scenarios.py <package>` prints JSON."""

# The package is known at run time only, so its names cannot be used as types here.
# pyright: reportInvalidTypeForm=false, reportReturnType=false

import asyncio
import importlib
import json
import logging
import sys
import warnings
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

PACKAGE = sys.argv[1]
core: Any = importlib.import_module(PACKAGE)
models: Any = importlib.import_module(f"{PACKAGE}.models")
tools: Any = importlib.import_module(f"{PACKAGE}.tools")
memory: Any = importlib.import_module(f"{PACKAGE}.memory")
contexts: Any = importlib.import_module(f"{PACKAGE}.model_context")
tool_agent: Any = importlib.import_module(f"{PACKAGE}.tool_agent")
code_executor: Any = importlib.import_module(f"{PACKAGE}.code_executor")
events: Any = importlib.import_module(f"{PACKAGE}.logging")
utils: Any = importlib.import_module(f"{PACKAGE}.utils")

SCENARIOS: dict[str, Any] = {}
warnings.simplefilter("ignore")
TOKEN = core.CancellationToken()


def scenario(function: Any) -> Any:
    SCENARIOS[function.__name__] = function
    return function


KINDS = (ValueError, TypeError, NotImplementedError, ImportError, LookupError, AttributeError, asyncio.CancelledError)


def kind(error: BaseException) -> str:
    return "raises " + next((cls.__name__ for cls in KINDS if isinstance(error, cls)), "Exception")


def call(function: Any) -> Any:
    try:
        return function()
    except BaseException as error:  # noqa: BLE001 - whatever is raised is the outcome
        return kind(error)


async def outcome(awaitable: Any) -> Any:
    try:
        return await asyncio.wait_for(awaitable, 2.0)
    except BaseException as error:  # noqa: BLE001 - whatever is raised is the outcome
        return kind(error)


def plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def native(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str).replace(PACKAGE, "core").replace("autogen_core", "core"))


def user(text: str) -> Any:
    return models.UserMessage(content=text, source="user")


def assistant(content: Any) -> Any:
    return models.AssistantMessage(content=content, source="assistant")


def result(text: str) -> Any:
    return models.FunctionExecutionResultMessage(
        content=[models.FunctionExecutionResult(content=text, name="f", call_id="1")]
    )


CALL = core.FunctionCall(id="1", name="f", arguments="{}")
TALK = [
    models.SystemMessage(content="s"), user("one"), assistant([CALL]), result("r"), assistant("two"), user("three"),
    assistant([CALL]),
]  # fmt: skip


# ── model contexts ──────────────────────────────────────────────────────────────────────────────────────────


async def shown(context: Any, talk: list[Any]) -> Any:
    for message in talk:
        await context.add_message(message)
    found = await context.get_messages()
    return [m.content if isinstance(m.content, str) else type(m).__name__ for m in found]


@scenario
async def what_contexts_show() -> Any:
    found: list[Any] = []
    for length in range(len(TALK) + 1):
        for head, tail in ((1, 1), (1, 2), (2, 2), (3, 3), (2, 1)):
            found.append(await shown(contexts.HeadAndTailChatCompletionContext(head, tail), TALK[:length]))
        found += [await shown(contexts.BufferedChatCompletionContext(size), TALK[:length]) for size in (1, 2, 3, 4, 9)]
        found.append(await shown(contexts.UnboundedChatCompletionContext(), TALK[:length]))
    return found


@scenario
async def contexts_that_are_refused() -> Any:
    return [
        call(lambda: contexts.BufferedChatCompletionContext(0)),
        call(lambda: contexts.HeadAndTailChatCompletionContext(0, 1)),
        call(lambda: contexts.HeadAndTailChatCompletionContext(1, 0)),
    ]


@scenario
async def states_of_contexts() -> Any:
    context = contexts.BufferedChatCompletionContext(2, initial_messages=[user("zero")])
    await shown(context, TALK)
    saved = await context.save_state()
    other = contexts.UnboundedChatCompletionContext()
    await other.load_state(saved)
    again = await other.save_state()
    await context.clear()
    return [
        saved,
        again == saved,
        plain(await context.get_messages()),
        native({**plain(context.dump_component()), "description": ""}),
    ]


@scenario
async def dumped_contexts() -> Any:
    made = [
        contexts.UnboundedChatCompletionContext(),
        contexts.UnboundedChatCompletionContext([user("a"), assistant([CALL])]),
        contexts.HeadAndTailChatCompletionContext(1, 2, initial_messages=[user("b")]),
    ]
    return [native({**plain(each.dump_component()), "description": ""}) for each in made]


# ── memory ──────────────────────────────────────────────────────────────────────────────────────────────────


@scenario
async def a_list_memory() -> Any:
    kinds = memory.MemoryMimeType
    made = memory.ListMemory("notes")
    for content, mime in (("text", kinds.TEXT), ({"a": 1}, kinds.JSON), ("# m", kinds.MARKDOWN), ("x", "text/odd")):
        await made.add(memory.MemoryContent(content=content, mime_type=mime, metadata={"k": content}))
    context = contexts.UnboundedChatCompletionContext()
    await context.add_message(user("hi"))
    updated = await made.update_context(context)
    found = await made.query("anything")
    dumped = native({**plain(made.dump_component()), "description": ""})
    loaded = memory.ListMemory.load_component(made.dump_component())
    same = plain(loaded.content) == plain(made.content)
    await made.clear()
    empty = contexts.UnboundedChatCompletionContext()
    nothing = await made.update_context(empty)
    await made.close()
    messages = await context.get_messages()
    return [
        plain(updated), plain(found), dumped, same, made.name, plain(nothing), plain(await empty.get_messages()),
        type(messages[-1]).__name__, [line[:2] for line in messages[-1].content.strip().splitlines()[-4:]],
        loaded.name, memory.ListMemory().name, [m.value for m in kinds],
    ]  # fmt: skip


# ── tools ───────────────────────────────────────────────────────────────────────────────────────────────────


class Inner(BaseModel):
    number: int = Field(description="a number")


class Args(BaseModel):
    query: str = Field(description="what to look for")
    inner: Inner | None = None


class Found(BaseModel):
    text: str


class Search(tools.BaseTool):
    def __init__(self, strict: bool = False) -> None:
        super().__init__(Args, Found, "search", "looks for it", strict)

    async def run(self, args: Any, cancellation_token: Any) -> Any:
        if args.query == "fail":
            raise ValueError("nothing found")
        if args.query == "silent":
            raise ValueError
        if args.query == "group":
            raise ExceptionGroup("many", [ValueError("a"), KeyError("b")])
        return Found(text=args.query)


class Progress(tools.BaseStreamTool):
    def __init__(self) -> None:
        super().__init__(Args, Found, "progress", "shows it")

    async def run(self, args: Any, cancellation_token: Any) -> Any:
        return Found(text=args.query)

    async def run_stream(self, args: Any, cancellation_token: Any) -> Any:
        yield "begins"
        if args.query == "fail":
            raise ValueError("broken off")
        yield Found(text=args.query)


class Count(BaseModel):
    count: int = 0


class Counter(tools.BaseToolWithState):
    def __init__(self) -> None:
        super().__init__(Args, Found, Count, "counter", "counts")
        self.count = 0

    async def run(self, args: Any, cancellation_token: Any) -> Any:
        self.count += 1
        return Found(text=str(self.count))

    def save_state(self) -> Any:
        return Count(count=self.count)

    def load_state(self, state: Any) -> None:
        self.count = state.count


@scenario
async def tool_classes() -> Any:
    tool, counter = Search(), Counter()
    values: list[Any] = [
        tool.schema,
        tool.name,
        tool.description,
        tool.args_type() is Args,
        tool.return_type() is Found,
    ]
    values += [tool.state_type(), await tool.save_state_json()]
    values += [plain(await tool.run_json({"query": "x"}, TOKEN)), tool.return_value_as_string(Found(text="é"))]
    values += [tool.return_value_as_string(value) for value in (1, None, "a", [1], {"a": 1})]
    values += [await outcome(tool.run_json({}, TOKEN)), await outcome(tool.run_json({"query": "fail"}, TOKEN))]
    await counter.run_json({"query": ""}, TOKEN)
    saved = await counter.save_state_json()
    other = Counter()
    await other.load_state_json(saved)
    values += [saved, other.count, call(lambda: Search(strict=True).schema)]
    values += [[plain(item) async for item in Progress().run_json_stream({"query": "x"}, TOKEN)]]
    values += [
        isinstance(Progress(), tools.StreamTool),
        isinstance(tool, tools.StreamTool),
        isinstance(tool, tools.Tool),
    ]
    return values


def simple(a: int, b: str = "x") -> str:
    return f"{a}{b}"


async def annotated(
    name: Annotated[str, "who"], kind: Literal["a", "b"], count: int = 1,
    extra: list[Inner] | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {"name": name, "kind": kind, "count": count, "extra": extra}


async def with_token(a: int, cancellation_token: core.CancellationToken) -> Any:
    return a if isinstance(cancellation_token, core.CancellationToken) else None


def untyped(a):
    return a


def no_return(a: int):
    return a


def kwonly(*, a: int, b: float = 0.5) -> float:
    return a * b


@scenario
async def function_tools() -> Any:
    functions = [simple, annotated, with_token, kwonly]
    made = [tools.FunctionTool(function, description="d") for function in functions]
    schemas = [tool.schema for tool in made]
    runs = [
        await outcome(made[0].run_json({"a": 1}, TOKEN)),
        await outcome(made[0].run_json({"a": "7", "b": "y"}, TOKEN)),
        await outcome(made[0].run_json({"a": "z"}, TOKEN)),
        await outcome(made[1].run_json({"name": "n", "kind": "a"}, TOKEN)),
        await outcome(made[1].run_json({"name": "n", "kind": "c"}, TOKEN)),
        await outcome(made[2].run_json({"a": 5}, TOKEN)),
        await outcome(made[3].run_json({"a": 5}, TOKEN)),
    ]
    return [
        schemas, plain(runs), [str(tool.return_type()) for tool in made],
        call(lambda: tools.FunctionTool(untyped, description="d").name),
        tools.FunctionTool(simple, description="d", name="other").name,
        call(lambda: tools.FunctionTool(simple, description="d", strict=True).schema),
        tools.FunctionTool(kwonly, description="d").return_value_as_string(0.5),
    ]  # fmt: skip


@scenario
async def a_dumped_function_tool() -> Any:
    tool = tools.FunctionTool(
        simple, description="d", global_imports=["json", code_executor.ImportFromModule("typing", ("Any",))]
    )
    return native({**plain(tool.dump_component()), "description": ""})


@scenario
async def workbenches() -> Any:
    bench = tools.StaticWorkbench(
        [Search(), Counter(), tools.FunctionTool(simple, description="d")],
        tool_overrides={"search": tools.ToolOverride(name="find", description="finds"), "simple": tools.ToolOverride()},
    )
    found: list[Any] = [await bench.list_tools()]
    async with bench:
        for name, arguments in (
            ("find", {"query": "x"}), ("search", {"query": "x"}), ("search", {"query": "fail"}), ("search", {}),
            ("nothing", {}), ("simple", {"a": 1}), ("counter", {"query": ""}), ("simple", None),
        ):  # fmt: skip
            got = await bench.call_tool(name, arguments)
            text = got.to_text()
            found.append([got.name, got.is_error, text if len(text) < 60 else text[:12], plain(got.result)[0]["type"]])
    saved = await bench.save_state()
    await bench.reset()
    await bench.load_state(saved)
    return [
        found, saved,
        call(lambda: tools.StaticWorkbench([Search(), Counter()], {"search": tools.ToolOverride(name="counter")})),
        call(lambda: tools.StaticWorkbench(
            [Search(), Counter()], {"search": tools.ToolOverride(name="x"), "counter": tools.ToolOverride(name="x")}
        )),
    ]  # fmt: skip


@scenario
async def streaming_workbenches() -> Any:
    bench = tools.StaticStreamWorkbench([Progress(), Search()])
    found: list[Any] = []
    for name, query in (("progress", "x"), ("progress", "fail"), ("search", "x"), ("search", "fail"), ("none", "x")):
        items = [plain(item) async for item in bench.call_tool_stream(name, {"query": query})]
        found.append(items)
    return [found, isinstance(bench, tools.StaticWorkbench)]


@scenario
async def results_of_tools() -> Any:
    image = core.Image.from_base64(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    made = tools.ToolResult(
        name="t",
        result=[tools.TextResultContent(content="a"), tools.ImageResultContent(content=image)],
    )
    return [made.to_text(replace_image="[img]"), made.to_text().startswith("a\n"), sorted(plain(made)), made.is_error]


# ── tool agent ──────────────────────────────────────────────────────────────────────────────────────────────


async def with_tool_agent() -> Any:
    runtime = core.SingleThreadedAgentRuntime()
    await tool_agent.ToolAgent.register(runtime, "tools", lambda: tool_agent.ToolAgent("runs", [Search()]))
    runtime.start()
    return runtime


@scenario
async def a_tool_agent() -> Any:
    runtime = await with_tool_agent()
    found: list[Any] = []
    for name, arguments in (
        ("search", '{"query": "x"}'), ("search", '{"query": "fail"}'), ("search", "{"), ("search", "{}"),
        ("none", "{}"),
    ):  # fmt: skip
        try:
            got = await runtime.send_message(
                core.FunctionCall(id="7", name=name, arguments=arguments), core.AgentId("tools", "k")
            )
            found.append(plain(got))
        except BaseException as raised:  # noqa: BLE001 - whatever is raised is the outcome
            error: Any = raised
            names = [cls.__name__ for cls in type(error).__mro__ if cls.__module__.startswith(PACKAGE)]
            found.append([names, error.call_id, error.name])
    await runtime.stop()
    return found


class Script(models.ChatCompletionClient):
    """Answers with what it was given, in order."""

    component_type = "model"

    def __init__(self, answers: list[Any]) -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []

    async def create(self, messages: Any, **_: Any) -> Any:
        self.asked.append([type(m).__name__ for m in messages])
        return models.CreateResult(
            finish_reason="stop", content=self.answers.pop(0), cached=False,
            usage=models.RequestUsage(prompt_tokens=1, completion_tokens=1),
        )  # fmt: skip

    def create_stream(self, messages: Any, **_: Any) -> Any:
        raise NotImplementedError

    async def close(self) -> None: ...

    def actual_usage(self) -> Any:
        return models.RequestUsage(prompt_tokens=0, completion_tokens=0)

    total_usage = actual_usage

    def count_tokens(self, messages: Any, **_: Any) -> int:
        return sum(10 if m.content else 1 for m in messages)

    def remaining_tokens(self, messages: Any, **_: Any) -> int:
        return 35 - self.count_tokens(messages)

    @property
    def capabilities(self) -> Any:
        return self.model_info

    @property
    def model_info(self) -> Any:
        return models.ModelInfo(
            vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True
        )


@scenario
async def the_loop_around_a_tool_agent() -> Any:
    runtime = await with_tool_agent()
    calls = [
        core.FunctionCall(id="1", name="search", arguments='{"query": "x"}'),
        core.FunctionCall(id="2", name="search", arguments='{"query": "fail"}'),
        core.FunctionCall(id="3", name="none", arguments="{}"),
    ]
    client = Script([calls, [calls[0]], "done"])
    generated = await tool_agent.tool_agent_caller_loop(
        runtime, core.AgentId("tools", "k"), client, [user("go")], [Search()], caller_source="me"
    )
    await runtime.stop()
    shown_ = [
        [type(m).__name__, getattr(m, "source", None), m.content if isinstance(m.content, str) else len(m.content)]
        for m in generated
    ]
    errors = [[r.call_id, r.name, r.is_error] for r in generated[1].content]
    return [shown_, errors, client.asked]


@scenario
async def contexts_limited_by_tokens() -> Any:
    found = []
    for limit in (None, 5, 25, 100):
        for length in (0, 1, 4, 7):
            context = contexts.TokenLimitedChatCompletionContext(Script([]), token_limit=limit)
            found.append(await shown(context, TALK[:length]))
    return [found, call(lambda: contexts.TokenLimitedChatCompletionContext(Script([]), token_limit=0))]


# ── models ──────────────────────────────────────────────────────────────────────────────────────────────────


@scenario
async def message_models() -> Any:
    usage = models.RequestUsage(prompt_tokens=1, completion_tokens=2)
    made = [
        *TALK,
        models.AssistantMessage(content="a", thought="t", source="s"),
        models.CreateResult(finish_reason="unknown", content=[CALL], usage=usage, cached=True, thought="t"),
        models.CreateResult(
            finish_reason="length", content="c", usage=usage, cached=False,
            logprobs=[models.ChatCompletionTokenLogprob(
                token="a", logprob=-1.0, top_logprobs=[models.TopLogprob(logprob=-2.0, bytes=[1])], bytes=[2],
            )],
        ),
    ]  # fmt: skip
    return [
        plain(made), usage + usage if hasattr(usage, "__add__") else None,
        call(lambda: plain(models.CreateResult(finish_reason="odd", content="", usage=usage, cached=False))),
        call(lambda: plain(models.UserMessage(content=3, source="u"))),
    ]  # fmt: skip


@scenario
async def model_families() -> Any:
    family = models.ModelFamily
    names = [
        "gpt-4o",
        "o1",
        "o3",
        "claude-3-opus",
        "claude-4-sonnet",
        "gemini-2.0-flash",
        "llama-3.3-8b",
        "r1",
        "unknown",
    ]
    tests = ("is_claude", "is_gemini", "is_openai", "is_llama", "is_mistral")
    return [
        [[test, name, getattr(family, test)(name)] for test in tests for name in names if hasattr(family, test)],
        sorted(n for n in dir(family) if n.isupper()),
        sorted(getattr(family, n) for n in dir(family) if n.isupper() and isinstance(getattr(family, n), str)),
        call(lambda: models.validate_model_info({"vision": True})),
        call(lambda: models.validate_model_info(
            {"vision": True, "function_calling": True, "json_output": True, "family": "x"}
        )),
    ]  # fmt: skip


# ── JSON, images, code ──────────────────────────────────────────────────────────────────────────────────────

SCHEMAS: dict[str, dict[str, Any]] = {
    "types": {
        "s": {"type": "string"}, "i": {"type": "integer"}, "n": {"type": "number"}, "b": {"type": "boolean"},
        "z": {"type": "null"}, "a": {"type": "array", "items": {"type": "integer"}}, "any": {"type": "array"},
        "o": {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}, "free": {"type": "object"},
        "two": {"type": ["string", "null"]},
    },
    "formats": {
        name: {"type": "string", "format": name}
        for name in ("date", "time", "date-time", "uuid", "duration", "uri", "hostname", "ipv4", "email")
    },
    "limits": {
        "s": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^a"},
        "i": {"type": "integer", "minimum": 1, "maximum": 3}, "e": {"type": "number", "exclusiveMinimum": 0},
        "a": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
        "m": {"type": "integer", "multipleOf": 2},
    },
    "choices": {
        "enum": {"enum": ["a", 1]}, "const": {"const": "only"}, "d": {"type": "string", "default": "given"},
        "anyOf": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "oneOf": {"oneOf": [{"type": "integer"}, {"type": "null"}]},
        "allOf": {"allOf": [
            {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
            {"type": "object", "properties": {"y": {"type": "integer"}}},
        ]},
    },
}  # fmt: skip
VALUES: list[Any] = [
    None, "a", "ab", "abcd", "zz", "only", "given", 0, 1, 2, 3, 4, -1, 1.5, True, [], ["a"], [1], ["a", "b", "c"], {},
    {"x": "t"}, {"x": 1}, {"y": 1}, {"x": 1, "y": 2}, "2024-01-01", "12:30:00", "2024-01-01T10:00:00Z", "PT1H",
    "12345678-1234-5678-1234-567812345678", "https://a.example/b", "a.example", "1.2.3.4", "a@b.example",
]  # fmt: skip


def accepts(model: Any, name: str, value: Any) -> bool:
    try:
        model.model_validate({name: value})
    except ValueError:
        return False
    return True


@scenario
async def schemas_made_into_classes() -> Any:
    found: dict[str, Any] = {}
    for group, properties in SCHEMAS.items():
        for name, schema in properties.items():
            whole = {"type": "object", "properties": {name: schema}, "required": [name]}
            model = call(lambda whole=whole: utils.schema_to_pydantic_model(whole, "Made"))
            if isinstance(model, str):
                found[f"{group}.{name}"] = model
            else:
                found[f"{group}.{name}"] = [str(v) for v in VALUES if accepts(model, name, v)]
    return found


def holding(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": schema}}


@scenario
async def schemas_with_references() -> Any:
    schema = {
        "type": "object", "title": "Order",
        "properties": {
            "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}}, "to": {"$ref": "#/$defs/Address"},
            "note": {"type": "string", "description": "a note"},
        },
        "required": ["lines"],
        "$defs": {
            "Line": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
            "Address": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }  # fmt: skip
    model = utils.schema_to_pydantic_model(schema, "Order")
    good = model.model_validate({"lines": [{"n": 1}], "to": {"city": "x"}})
    return [
        model.__name__, good.model_dump(), call(lambda: model.model_validate({"lines": [{}]})),
        sorted(model.model_fields), model.model_fields["note"].description,
        call(lambda: utils.schema_to_pydantic_model(holding({"$ref": "#/$defs/No"}), "M")),
        call(lambda: utils.schema_to_pydantic_model(holding({"type": "odd"}), "M")),
        call(lambda: utils.schema_to_pydantic_model({"type": "object"}, "M").__name__),
        call(lambda: utils.schema_to_pydantic_model({"type": "array"}, "M").__name__),
    ]  # fmt: skip


@scenario
async def recursive_schemas() -> Any:
    schema = {
        "type": "object", "properties": {"root": {"$ref": "#/$defs/Node"}}, "required": ["root"],
        "$defs": {"Node": {"type": "object", "properties": {
            "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
        }, "required": ["name"]}},
    }  # fmt: skip
    value = {"root": {"name": "a", "children": [{"name": "b", "children": []}]}}
    bad = {"root": {"name": "a", "children": [{}]}}
    return [
        call(lambda: utils.schema_to_pydantic_model(schema, "Tree").model_validate(value).model_dump()),
        call(lambda: utils.schema_to_pydantic_model(schema, "Tree").model_validate(bad).model_dump()),
    ]


@scenario
async def json_in_text() -> Any:
    texts = [
        '{"a": 1}', 'x\n```json\n{"a": 1}\n```\ny', '```\n{"a": 1}\n```', '```python\n{"a": 1}\n```', "none", "",
        '```json\n{"a": 1}\n```\n```json\n{"b": 2}\n```', "```json\n{]\n```", "[1]",
    ]  # fmt: skip
    return [call(lambda text=text: utils.extract_json_from_str(text)) for text in texts]


@scenario
async def code_types() -> Any:
    from_module = code_executor.ImportFromModule("a.b", ["c", code_executor.Alias("d", "e")])
    made = code_executor.FunctionWithRequirements.from_str("def f(a: int) -> int:\n    return a", ["numpy"], ["json"])

    @code_executor.with_requirements(python_packages=["x"], global_imports=["json"])
    def decorated(a: int) -> int:
        return a

    return [
        repr(code_executor.CodeBlock("c", "python")), repr(code_executor.CodeResult(0, "o")), repr(from_module),
        made.python_packages, made.global_imports, call(lambda: made(1)), decorated(3), decorated.python_packages,
        call(lambda: code_executor.FunctionWithRequirements.from_str("x = 1")),
        call(lambda: code_executor.FunctionWithRequirements.from_str("def f(:")),
    ]  # fmt: skip


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────


@scenario
async def structured_events() -> Any:
    agent, topic = core.AgentId("a", "k"), core.TopicId("t", "s")
    stage, way = events.DeliveryStage.SEND, events.MessageKind.PUBLISH
    made = [
        events.LLMCallEvent(messages=[{"a": 1}], response={"b": 2}, prompt_tokens=1, completion_tokens=2, extra="x"),
        events.LLMStreamStartEvent(messages=[{"a": 1}], more=1),
        events.LLMStreamEndEvent(response={"b": 2}, prompt_tokens=1, completion_tokens=2),
        events.ToolCallEvent(tool_name="t", arguments={"a": 1}, result="r"),
        events.MessageEvent(payload="p", sender=agent, receiver=topic, kind=way, delivery_stage=stage),
        events.MessageDroppedEvent(payload="p", sender=None, receiver=agent, kind=way),
        events.MessageHandlerExceptionEvent(payload="p", handling_agent=agent, exception=ValueError("x")),
        events.AgentConstructionExceptionEvent(agent_id=agent, exception=ValueError("x")),
    ]
    return [[json.loads(str(event)), list(json.loads(str(event)))] for event in made]


@scenario
async def a_logged_tool_call() -> Any:
    lines: list[Any] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(record.getMessage()))

    logger = logging.getLogger(core.EVENT_LOGGER_NAME)
    logger.setLevel(logging.INFO)
    handler = Listener()
    logger.addHandler(handler)
    await Search().run_json({"query": "x"}, TOKEN)
    await tools.FunctionTool(simple, description="d").run_json({"a": 1}, TOKEN)
    async for _ in Progress().run_json_stream({"query": "x"}, TOKEN):
        pass
    logger.removeHandler(handler)
    logger.setLevel(logging.CRITICAL)
    return lines


# ── components ──────────────────────────────────────────────────────────────────────────────────────────────


class WidgetConfig(BaseModel):
    size: int
    color: str | None = None
    parts: list[core.ComponentModel] = []


class Widget(core.ComponentBase[BaseModel], core.Component[WidgetConfig]):
    """A widget.

    With more to say.
    """

    component_type = "widget"
    component_version = 2
    component_config_schema = WidgetConfig

    def __init__(self, size: int) -> None:
        self.size = size

    def _to_config(self) -> Any:
        return WidgetConfig(size=self.size)

    @classmethod
    def _from_config(cls, config: Any) -> Any:
        return cls(config.size)


class OldWidget(Widget):
    component_description = "described"
    component_label = "labelled"

    @classmethod
    def _from_config_past_version(cls, config: Mapping[str, Any], version: int) -> Any:
        return cls(config["length"] + version)


class NoConfig(core.ComponentBase[BaseModel]):
    component_type = "nothing"


@scenario
async def components() -> Any:
    dumped = plain(Widget(3).dump_component())
    load = core.ComponentLoader.load_component

    def size(*args: Any, **kwargs: Any) -> Any:
        return call(lambda: load(*args, **kwargs).size)

    def refused(model: Any, expected: Any, kind: Any) -> Any:
        try:
            load(model, expected)
        except kind:
            return True
        return False

    return [
        dumped, plain(OldWidget(1).dump_component()), size(dumped, Widget),
        call(lambda: Widget.load_component(core.ComponentModel(**dumped)).size),
        refused({**dumped, "component_version": 1}, Widget, NotImplementedError),
        size({**dumped, "component_version": None}, Widget),
        size({"provider": "__main__.OldWidget", "config": {"length": 4}, "component_version": 1}, Widget),
        refused({"provider": "__main__.Widget", "config": {}}, Widget, ValueError),
        refused({"config": {}}, Widget, ValueError), refused(dumped, core.InMemoryStore, TypeError),
        refused({"provider": "nodots", "config": {}}, Widget, ValueError),
        refused({"provider": "__main__.Args", "config": {}}, Widget, TypeError),
        refused({"provider": f"{PACKAGE}.no_such.Class", "config": {}}, Widget, ModuleNotFoundError),
        isinstance(call(NoConfig().dump_component), str),
        core.is_component_class(Widget), core.is_component_class(NoConfig), core.is_component_instance(Widget(1)),
        core.is_component_instance(3),
    ]  # fmt: skip


@scenario
async def cache_stores() -> Any:
    store = core.InMemoryStore()
    store.set("a", 1)
    store.set("a", 2)
    return [
        store.get("a"), store.get("b"), store.get("b", 3), plain(store.dump_component())["provider"],
        type(core.InMemoryStore.load_component(store.dump_component())).__name__,
    ]  # fmt: skip


async def main() -> None:
    results = {}
    for name, function in SCENARIOS.items():
        try:
            results[name] = await asyncio.wait_for(function(), 10)
        except BaseException as error:  # noqa: BLE001 - whatever is raised is the outcome
            results[name] = f"scenario raised {type(error).__name__}: {error}"
    json.dump(results, sys.stdout, default=str)
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
