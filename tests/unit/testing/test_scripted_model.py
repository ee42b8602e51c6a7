"""The scripted model speaks the API, says what its script says, and notes every call."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError, RateLimitError

from agentopic.testing.scripted_model import ChatRequest, Reply, ScriptedModel, ToolCall, read_calls
from agentopic.testing.scripted_model.forwarding import ForwardingScript

HELLO: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


class Parrot:
    """Says the user's words back; a test may prepare other replies, or keep calls open."""

    def __init__(self) -> None:
        self.prepared: list[Reply] = []
        self.asked: list[ChatRequest] = []
        self.was_asked = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def reply(self, request: ChatRequest) -> Reply:
        self.asked.append(request)
        self.was_asked.set()
        await self.open.wait()
        return self.prepared.pop(0) if self.prepared else Reply(text=request.text_of("user"))


def connected(base_url: str, api_key: str = "k") -> Any:
    return AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0)


@pytest.fixture
def parrot() -> Parrot:
    return Parrot()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "calls.jsonl"


@pytest.fixture
async def server(parrot: Parrot, log: Path) -> AsyncIterator[ScriptedModel]:
    async with ScriptedModel(parrot, log) as running:
        yield running


@pytest.fixture
async def client(server: ScriptedModel) -> AsyncIterator[Any]:
    async with connected(server.base_url("worker-1")) as made:
        yield made


async def test_what_the_script_says_is_the_answer(client: Any) -> None:
    answer = await client.chat.completions.create(**HELLO)

    assert answer.choices[0].message.content == "hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


async def test_tool_calls_have_ids_that_a_repeat_has_too(parrot: Parrot, client: Any) -> None:
    parrot.prepared = [Reply(tool_calls=[ToolCall(name="run", arguments={"code": "1"})])] * 2

    first = (await client.chat.completions.create(**HELLO)).choices[0]
    second = (await client.chat.completions.create(**HELLO)).choices[0]

    assert first.finish_reason == "tool_calls"
    assert first.message.tool_calls == second.message.tool_calls
    assert json.loads(first.message.tool_calls[0].function.arguments) == {"code": "1"}


async def test_a_stream_carries_text_tool_calls_and_usage(parrot: Parrot, client: Any) -> None:
    parrot.prepared = [Reply(text="so:", tool_calls=[ToolCall(name="run", arguments={})])]

    stream = await client.chat.completions.create(**HELLO, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]

    assert chunks[0].choices[0].delta.content == "so:"
    assert chunks[0].choices[0].delta.tool_calls[0].function.name == "run"
    assert chunks[1].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage is not None


async def test_each_call_is_noted_with_its_caller_and_what_it_cost(client: Any, log: Path) -> None:
    await client.chat.completions.create(**HELLO)
    await client.chat.completions.create(**HELLO)
    await client.chat.completions.create(**{**HELLO, "messages": [{"role": "user", "content": "other"}]})

    calls = read_calls(log)

    assert [call.caller for call in calls] == ["worker-1"] * 3
    assert calls[0].fingerprint == calls[1].fingerprint != calls[2].fingerprint
    assert all(call.closed and call.status == 200 and call.delivered and call.prompt_tokens for call in calls)


async def test_the_caller_is_no_part_of_the_fingerprint(server: ScriptedModel, client: Any, log: Path) -> None:
    async with connected(server.base_url("worker-2")) as other:
        await other.chat.completions.create(**HELLO)
    await client.chat.completions.create(**HELLO)

    calls = read_calls(log)

    assert {call.caller for call in calls} == {"worker-1", "worker-2"}
    assert len({call.fingerprint for call in calls}) == 1


async def test_a_call_is_open_in_the_log_until_its_answer_is_sent(parrot: Parrot, client: Any, log: Path) -> None:
    parrot.open.clear()
    asking = asyncio.ensure_future(client.chat.completions.create(**HELLO))
    await parrot.was_asked.wait()

    (while_open,) = read_calls(log)
    parrot.open.set()
    await asking

    assert while_open.closed is None
    (afterwards,) = read_calls(log)
    assert afterwards.closed is not None


async def test_a_script_can_fail_as_a_provider_does(parrot: Parrot, client: Any, log: Path) -> None:
    parrot.prepared = [Reply(status=429, text="slowly", headers={"Retry-After": "2"})]

    with pytest.raises(RateLimitError) as refused:
        await client.chat.completions.create(**HELLO)

    assert refused.value.response.headers["retry-after"] == "2"
    assert [call.status for call in read_calls(log)] == [429]


async def test_other_paths_and_broken_bodies_are_refused_and_not_noted(server: ScriptedModel, log: Path) -> None:
    async with connected(server.address) as lost:
        with pytest.raises(NotFoundError):
            await lost.chat.completions.create(**HELLO)
    async with connected(server.base_url()) as broken:
        with pytest.raises(BadRequestError):
            await broken.post("/chat/completions", body=[1], cast_to=object)

    assert read_calls(log) == []


async def test_stopping_ends_a_call_that_is_open(parrot: Parrot, log: Path) -> None:
    parrot.open.clear()
    async with ScriptedModel(parrot, log) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.address.rpartition(":")[2]))
        body = json.dumps(HELLO).encode()
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await parrot.was_asked.wait()
    writer.close()

    assert await reader.read() == b""
    (call,) = read_calls(log)
    assert not call.delivered


async def test_a_real_provider_is_asked_in_its_callers_name(
    parrot: Parrot, server: ScriptedModel, tmp_path: Path
) -> None:
    forwarding = ForwardingScript(server.base_url("behind"))
    async with (
        ScriptedModel(forwarding, tmp_path / "door.jsonl") as door,
        connected(door.base_url("worker-1"), "secret") as client,
    ):
        answer = await client.chat.completions.create(**HELLO)
        parrot.prepared = [Reply(status=429, text="slowly", headers={"Retry-After": "2"})]
        with pytest.raises(RateLimitError):
            await client.chat.completions.create(**HELLO)

    assert answer.choices[0].message.content == "hello"
    assert parrot.asked[0].authorization == "Bearer secret"
    assert [call.status for call in read_calls(tmp_path / "door.jsonl")] == [200, 429]


async def test_a_provider_that_does_not_answer_is_a_bad_gateway() -> None:
    said = await ForwardingScript("http://127.0.0.1:9/v1").reply(ChatRequest(caller="", body=HELLO))

    assert isinstance(said, Reply)
    assert said.status == 502


def test_the_server_runs_as_a_process_and_ends_at_sigterm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yes.py").write_text(
        "from agentopic.testing.scripted_model import Reply\n"
        "class Yes:\n"
        "    async def reply(self, request):\n"
        "        return Reply(text='yes')\n"
        "script = Yes()\n"
    )
    command = [sys.executable, "-m", "agentopic.testing.scripted_model", "--script", "yes:script", "--log", "c.jsonl"]

    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        process.terminate()

    assert address.startswith("http://127.0.0.1:")
    assert process.returncode == 0
