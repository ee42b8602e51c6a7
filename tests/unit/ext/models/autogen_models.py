"""What clients of three providers send and make of answers, as JSON: `python autogen_models.py <core package>`."""

# The package is known at run time only, so its names cannot be used as types here.
# pyright: reportInvalidTypeForm=false

import asyncio
import importlib
import json
import logging
import sys
import threading
import warnings
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from PIL import Image as Pictures
from pydantic import BaseModel

CORE = sys.argv[1]
EXT = CORE.replace("core", "ext")
core: Any = importlib.import_module(CORE)
models: Any = importlib.import_module(f"{CORE}.models")
tools: Any = importlib.import_module(f"{CORE}.tools")
OpenAI: Any = importlib.import_module(f"{EXT}.models.openai").OpenAIChatCompletionClient
Anthropic: Any = importlib.import_module(f"{EXT}.models.anthropic").AnthropicChatCompletionClient
Ollama: Any = importlib.import_module(f"{EXT}.models.ollama").OllamaChatCompletionClient

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

Answer = tuple[str, bytes]


class Provider(BaseHTTPRequestHandler):
    """Answers everything with what was set last, and keeps what it was sent."""

    protocol_version = "HTTP/1.1"
    answer: Answer = ("", b"")
    received: ClassVar[list[Any]] = []

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        kind, body = self.answer
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Fact(BaseModel):
    name: str
    year: int | None = None


def weather(city: str, days: int = 1) -> str:
    return ""


def clock() -> str:
    return ""


WEATHER = tools.FunctionTool(weather, description="the weather")
CLOCK = tools.FunctionTool(clock, description="the time")
ABLE = {"vision": True, "function_calling": True, "json_output": True, "structured_output": True, "family": "unknown"}
ASKED = [models.UserMessage(content="hello", source="user")]
SYSTEM = models.SystemMessage


def said(content: Any, thought: str | None = None) -> Any:
    return models.AssistantMessage(content=content, source="bot", thought=thought)


def result(call: str, name: str, text: str, failed: bool = False) -> Any:
    return models.FunctionExecutionResult(content=text, name=name, call_id=call, is_error=failed)


PICTURE = core.Image(Pictures.new("RGB", (1, 1)))
LONG = [
    SYSTEM(content="be kind"),
    models.UserMessage(content=["look", PICTURE], source="ann"),
    said([core.FunctionCall("1", '{"city":"x"}', "weather"), core.FunctionCall("2", "{}", "clock")], thought="hm"),
    models.FunctionExecutionResultMessage(content=[result("1", "weather", "rain"), result("2", "clock", "no", True)]),
    said("done"),
]

# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_json(value: Any) -> Answer:
    return "application/json", json.dumps(value).encode()


def completion(finish: str | None = "stop", **message: Any) -> Answer:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": None, **message}}
    return as_json(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    )


def chunks(*deltas: Any, finish: str = "stop") -> Answer:
    same = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    events: list[dict[str, Any]] = [
        {**same, "choices": [{"index": 0, "delta": each, "finish_reason": None}]} for each in deltas
    ]
    events.append({**same, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    events.append({**same, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}})
    lines = "".join(f"data: {json.dumps(each)}\n\n" for each in events)
    return "text/event-stream", f"{lines}data: [DONE]\n\n".encode()


def message(*blocks: Any, stop: str = "end_turn", **changed: Any) -> Answer:
    usage = {"input_tokens": 5, "output_tokens": 2}
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "c", "stop_sequence": None}
    return as_json({**whole, "content": list(blocks), "stop_reason": stop, "usage": usage, **changed})


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def block(index: int, begin: Any, *deltas: Any) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": begin},
        *({"type": "content_block_delta", "index": index, "delta": each} for each in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def words(index: int, *pieces: str) -> list[dict[str, Any]]:
    return block(index, text(""), *({"type": "text_delta", "text": each} for each in pieces))


def events(*blocks: list[dict[str, Any]], stop: str | None = "end_turn") -> Answer:
    usage = {"input_tokens": 5, "output_tokens": 1}
    begun = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "c", "usage": usage}
    all_ = [{"type": "message_start", "message": {**begun, "stop_reason": None, "stop_sequence": None}}]
    all_ += [each for several in blocks for each in several]
    if stop is not None:
        delta = {"stop_reason": stop, "stop_sequence": None}
        all_ += [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7}}, {"type": "message_stop"}]
    return "text/event-stream", "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in all_).encode()


def chat(done: str | None = "stop", **said_: Any) -> dict[str, Any]:
    same = {"model": "c", "created_at": "2024-01-01T00:00:00Z", "message": {"role": "assistant", **said_}}
    if done is None:
        return {**same, "done": False}
    return {**same, "done": True, "done_reason": done, "prompt_eval_count": 5, "eval_count": 2}


def lines(*each: dict[str, Any]) -> Answer:
    return "application/x-ndjson", "".join(f"{json.dumps(one)}\n" for one in each).encode()


def ollama_call(name: str, **arguments: str) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}}


def openai_call(name: str, arguments: str, **changed: Any) -> dict[str, Any]:
    return {"id": "t", "type": "function", "function": {"name": name, "arguments": arguments}, **changed}


# ── scenarios: what is made, what is asked, what is answered ─────────────────────────────────────────────────────────

USED = {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "x"}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
THINKING = block(
    0,
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "h"},
    {"type": "thinking_delta", "thinking": "m"},
    {"type": "signature_delta", "signature": "s"},
)
USING = block(1, {**USED, "input": {}}, {"type": "input_json_delta", "partial_json": '{"city":"x"}'})
BUDGET = {"type": "enabled", "budget_tokens": 2000}
HI, HI_A, HI_O = completion(content="hi"), message(text("hi")), as_json(chat(content="hi"))
TWO_SYSTEM = [SYSTEM(content="a"), SYSTEM(content="b"), *ASKED]
SPLIT_SYSTEM = [SYSTEM(content="a"), *ASKED, SYSTEM(content="b")]

Scenario = tuple[dict[str, Any], dict[str, Any], Answer]


def asked(answer: Answer, messages: Sequence[Any] = ASKED, made: dict[str, Any] | None = None, **call: Any) -> Scenario:
    return made or {}, {"messages": messages, **call}, answer


def streamed(answer: Answer, **call: Any) -> Scenario:
    return {}, {"messages": ASKED, "stream": True, **call}, answer


OF_ANY: dict[str, dict[str, Any]] = {
    "hello": {},
    "long": {"messages": LONG, "tools": [WEATHER, CLOCK]},
    "a certain tool": {"tools": [WEATHER, CLOCK], "tool_choice": WEATHER},
    "any tool": {"tools": [WEATHER], "tool_choice": "required"},
    "no tool": {"tools": [WEATHER], "tool_choice": "none"},
    "json": {"json_output": True},
    "schema": {"json_output": Fact},
    "two system messages": {"messages": TWO_SYSTEM},
    "split system messages": {"messages": SPLIT_SYSTEM},
    "two questions": {"messages": [*ASKED, *ASKED]},
    "unknown argument": {"extra_create_args": {"wrong": 1}},
}

OPENAI: dict[str, Scenario] = {
    **{name: asked(HI, **call) for name, call in OF_ANY.items()},
    "schema": asked(completion(content='{"name": "x"}'), json_output=Fact),
    "schema, not kept to": asked(HI, json_output=Fact),
    "names": asked(HI, made={"add_name_prefixes": True, "temperature": 0.3, "seed": 4}),
    "tool calls": asked(completion("tool_calls", tool_calls=[openai_call("weather", "{}")]), tools=[WEATHER]),
    "thought": asked(completion(content="hi", reasoning_content="hm")),
    **{f"finish {each}": asked(completion(each, content="hi")) for each in ("length", "content_filter", "odd")},
    "stream": streamed(chunks({"content": "a"}, {"content": "b"})),
    "stream thought": streamed(chunks({"reasoning_content": "h"}, {"reasoning_content": "m"}, {"content": "a"})),
    "stream calls": streamed(
        chunks({"content": "so"}, {"tool_calls": [openai_call("f", "{}", index=0)]}, finish="tool_calls")
    ),
}
ANTHROPIC: dict[str, Scenario] = {
    **{name: asked(HI_A, **call) for name, call in OF_ANY.items()},
    "options": asked(HI_A, made={"temperature": 0.3, "top_k": 4, "stop_sequences": ["x"], "max_tokens": 9}),
    "response format": asked(HI_A, made={"response_format": {"type": "json_object"}}),
    "blank question": asked(HI_A, [models.UserMessage(content="  ", source="u")]),
    "answer last": asked(HI_A, [*ASKED, said("end  ")]),
    "tool calls": asked(message(text("so"), USED, {**USED, "name": "we ather"}, stop="tool_use"), tools=[WEATHER]),
    "thought": asked(message(THOUGHT, text("hi")), made={"thinking": BUDGET}),
    "thought and call": asked(message(THOUGHT, text("so"), USED, stop="tool_use"), tools=[WEATHER]),
    **{
        f"finish {each}": asked(message(text("hi"), stop=each))
        for each in ("max_tokens", "stop_sequence", "refusal", "pause_turn", "model_context_window_exceeded", "odd")
    },
    "no content": asked(message()),
    "two texts": asked(message(text("a"), text("b"))),
    "cached input": asked(
        message(text("a"), usage={"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 3})
    ),
    "stream": streamed(events(words(0, "a", "b"))),
    "stream calls": streamed(events(words(0, "a"), USING, stop="tool_use"), tools=[WEATHER]),
    "stream thought": streamed(events(THINKING, words(1, "a", "b"), stop="max_tokens")),
    "stream cut": streamed(events(words(0, "a", "b"), stop=None)),
}
OLLAMA: dict[str, Scenario] = {
    **{name: asked(HI_O, **call) for name, call in OF_ANY.items()},
    "long": asked(HI_O, LONG, {"model": "odd", "model_info": ABLE}, tools=[WEATHER, CLOCK]),
    "options": asked(HI_O, made={"options": {"temperature": 0.3}}, extra_create_args={"keep_alive": 1}),
    "response format": asked(HI_O, made={"response_format": Fact}),
    "tool calls": asked(
        as_json(chat(content="so", tool_calls=[ollama_call("weather", city="x"), ollama_call("we ather")])),
        tools=[WEATHER],
    ),
    "thought": asked(as_json(chat(content="hi", thinking="hm"))),
    "tagged thought": asked(as_json(chat(content="<think>hm</think>\nhi")), made={"model": "deepseek-r1"}),
    **{f"finish {each}": asked(as_json(chat(each, content="hi"))) for each in ("length", "odd")},
    "stream": streamed(lines(chat(None, content="a"), chat(None, content="b"), chat(content=""))),
    "stream calls": streamed(
        lines(chat(None, content="a"), chat(None, content="", tool_calls=[ollama_call("f")]), chat(content="")),
        tools=[WEATHER],
    ),
    "stream thought": streamed(lines(chat(None, content="", thinking="h"), chat("length", content="b"))),
    "stream cut": streamed(lines(chat(None, content="a"), chat(None, content="b"))),
}

# ── playing them ────────────────────────────────────────────────────────────────────────────────────────────────────


def plain(item: Any) -> Any:
    if isinstance(item, str):
        return item
    content: Any = item.content
    if not isinstance(content, str):
        content = [*([call.name, call.arguments] for call in content), f"{len({call.id for call in content})} ids"]
    usage = [item.usage.prompt_tokens, item.usage.completion_tokens]
    return {"finish": item.finish_reason, "content": content, "usage": usage, "thought": item.thought}


async def outcome(client: Any, call: dict[str, Any]) -> Any:
    stream = call.get("stream", False)
    arguments = {name: value for name, value in call.items() if name != "stream"}
    try:
        if stream:
            return [plain(item) async for item in client.create_stream(**arguments)]
        return plain(await client.create(**arguments))
    except Exception as error:  # noqa: BLE001 - whatever is raised is the outcome
        return f"raises {'ValueError' if isinstance(error, ValueError) else 'Exception'}"


def shown(body: Any) -> Any:
    if body.get("temperature") == 1.0:  # AutoGen's default, which newer models of Claude refuse
        body.pop("temperature")
    return body


async def played(makers: dict[str, tuple[Any, dict[str, Scenario]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for provider, (make, scenarios) in makers.items():
        for name, (made, call, answer) in scenarios.items():
            Provider.answer = answer
            Provider.received.clear()
            found[f"{provider}: {name}"] = await outcome(make(**made), call)
            found[f"{provider}: {name}: sent"] = [shown(body) for body in Provider.received[:1]]
    return found


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    makers: dict[str, tuple[Any, dict[str, Scenario]]] = {
        "openai": (lambda **made: OpenAI(model="gpt-4o", api_key="k", base_url=f"{url}/v1", **made), OPENAI),
        "anthropic": (
            lambda **made: Anthropic(**{"model": "claude-3-5-sonnet-20241022", "api_key": "k", "base_url": url} | made),
            ANTHROPIC,
        ),
        "ollama": (lambda **made: Ollama(**{"model": "llama3.2", "host": url} | made), OLLAMA),
    }
    text_ = json.dumps(asyncio.run(played(makers)))
    sys.stdout.write(text_.replace(url, "http://provider"))


if __name__ == "__main__":
    main()
