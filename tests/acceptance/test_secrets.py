"""Keys and passwords stay where they are: in no event, file, dead letter, answer, log line or dump."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from agentopic.agentchat.agents import AssistantAgent
from agentopic.core import CancellationToken
from agentopic.core.models import ChatCompletionClient, UserMessage
from agentopic.errors import McpError, ModelError
from agentopic.ext.models.anthropic import AnthropicChatCompletionClient
from agentopic.ext.models.gemini import GeminiChatCompletionClient
from agentopic.ext.models.ollama import OllamaChatCompletionClient
from agentopic.ext.models.openai import (
    AzureOpenAIChatCompletionClient,
    OpenAIChatCompletionClient,
    OpenAIResponsesChatCompletionClient,
)
from agentopic.ext.tools.http import HttpTool
from agentopic.ext.tools.mcp import McpWorkbench, SseServerParams, StreamableHttpServerParams

from .faulty_provider import FaultyProvider, answer, refusal

KEY = "canary-key-7f3a91"
PASSWORD = "canary/pass:word@4c"
ESCAPED = "canary%2Fpass%3Aword%404c"

SERVICE = """
import os

from pydantic import BaseModel

from agentopic import AgentService, MessageContext, RoutedAgent, TypeSubscription, message_handler, payload, step
from agentopic.core import CancellationToken
from agentopic.core.models import ModelInfo, UserMessage
from agentopic.core.tools import FunctionTool, StaticWorkbench
from agentopic.ext.models.openai import OpenAIChatCompletionClient

KEY = os.environ["OPENAI_API_KEY"]
INFO = ModelInfo(vision=False, function_calling=True, json_output=True, family="x", structured_output=True)


@payload("safe.Wish.v1")
class Wish(BaseModel):
    how: str


@payload("safe.Heard.v1")
class Heard(BaseModel):
    text: str


async def fetch() -> str:
    raise ConnectionError(f"GET https://somewhere/?key={KEY} failed")


async def fail() -> str:
    raise ValueError(f"{KEY} is no good")


class Careless(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("says too much")

    @message_handler
    async def on_wish(self, message: Wish, ctx: MessageContext) -> Heard:
        if message.how == "model":
            client = OpenAIChatCompletionClient(model="m", model_info=INFO)
            await client.create([UserMessage(content="hi", source="user")])
        if message.how == "tool":
            tools = StaticWorkbench([FunctionTool(fetch, "fetches")])
            return Heard(text=(await tools.call_tool("fetch")).to_text())
        if message.how == "step":
            await step("fail", fail)
        raise RuntimeError(f"Authorization: Bearer {KEY}")


heard = [TypeSubscription("wish", "careless")]
app = AgentService("careless", Careless, subscriptions=heard, stateless=True)
"""


@pytest.fixture
async def provider() -> AsyncIterator[FaultyProvider]:
    async with FaultyProvider([refusal(401, f"Incorrect API key provided: {KEY}.")]) as running:
        yield running


def _environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPIC_", "AUTOGEN_"))}
    return {**kept, "AGENTOPIC_NAMESPACE": "safe", **variables}


async def _run(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agentopic", *arguments, cwd=folder, env=environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    stdout, stderr = await asyncio.wait_for(process.communicate(), 40)
    return process.returncode, stdout.decode(), stderr.decode()


def _stored(folder: Path) -> bytes:
    """All that the log and the journal hold, what is not yet in the database file included."""
    return b"".join(path.read_bytes() for path in folder.glob("mesh.db*"))


def _leaks(text: str | bytes) -> list[str]:
    raw = text if isinstance(text, bytes) else text.encode()
    return [secret for secret in (KEY, PASSWORD, ESCAPED, "word@4c") if secret.encode() in raw]


async def test_a_careless_service_gives_nothing_away(tmp_path: Path, provider: FaultyProvider) -> None:
    (tmp_path / "safe.py").write_text(SERVICE)
    environment = _environment(
        OPENAI_API_KEY=KEY, OPENAI_BASE_URL=provider.base_url, AGENTOPIC_TRANSPORT=f"sqlite:///{tmp_path}/mesh.db",
        XDG_CONFIG_HOME=str(tmp_path),
    )  # fmt: skip
    log = tmp_path / "stderr.log"
    with log.open("wb") as errors:
        service = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agentopic", "run", "safe:app", "--log-level", "debug",
            cwd=tmp_path, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=errors, stderr=errors,
        )  # fmt: skip
    try:
        async with asyncio.timeout(20):
            while "ready" not in log.read_text():  # noqa: ASYNC110 - the condition lies in another process
                await asyncio.sleep(0.05)
        send = ("send", "careless/k", "--type", "safe.Wish.v1", "--data")
        said = [
            await _run(tmp_path, environment, *send, json.dumps({"how": how}))
            for how in ("model", "tool", "step", "raise")
        ]
        stored = _stored(tmp_path)
    finally:
        service.send_signal(signal.SIGTERM)
        await asyncio.wait_for(service.wait(), 40)

    shown = ["".join(text) for _, *text in said]
    assert [_leaks(text) for text in shown] == [[]] * 4
    assert "Incorrect API key" in shown[0]
    assert "failed" in shown[1]
    assert "is no good" in shown[2]
    assert _leaks(log.read_bytes()) == []
    assert log.read_text().count("dead letter") >= 3
    assert b"safe.Wish.v1" in stored
    assert _leaks(stored + _stored(tmp_path)) == []
    assert KEY.encode() in provider.requests[0]


async def test_the_configuration_is_shown_without_secrets(tmp_path: Path) -> None:
    environment = _environment(
        OPENAI_API_KEY=KEY, ANTHROPIC_API_KEY=KEY, XDG_CONFIG_HOME=str(tmp_path),
        AGENTOPIC_TRANSPORT=f"kafka://me:{ESCAPED}@127.0.0.1:1",
        AGENTOPIC_JOURNAL=f"postgresql://me:{ESCAPED}@127.0.0.1:1/db",
    )  # fmt: skip

    code, stdout, stderr = await _run(tmp_path, environment, "config", "show", "--origin")

    assert (code, _leaks(stdout + stderr)) == (0, [])
    assert "OPENAI_API_KEY" in stdout


@pytest.mark.parametrize("address", ["kafka://me:{}@nowhere", "postgresql://me:{}@h/d", "sqlite:///mesh.db"])
async def test_what_cannot_be_reached_is_named_without_its_password(tmp_path: Path, address: str) -> None:
    (tmp_path / "safe.py").write_text(SERVICE)
    environment = _environment(
        OPENAI_API_KEY=KEY, XDG_CONFIG_HOME=str(tmp_path), AGENTOPIC_TRANSPORT=address.format(PASSWORD),
        AGENTOPIC_JOURNAL=f"postgresql://me:{ESCAPED}@127.0.0.1:1/db?connect_timeout=1",
    )  # fmt: skip

    code, *shown = await _run(tmp_path, environment, "run", "safe:app", "--log-level", "debug")

    assert code not in {0, None}
    assert _leaks("".join(shown)) == []


def test_components_are_dumped_without_secrets() -> None:
    client = OpenAIChatCompletionClient(
        model="gpt-4o", api_key=KEY, default_headers={"Authorization": f"Bearer {KEY}", "X-Team": "a"}
    )
    azure = AzureOpenAIChatCompletionClient(
        model="gpt-4o", api_key=KEY, azure_endpoint="https://example.openai.azure.com", api_version="2024-06-01"
    )
    agent = AssistantAgent("a", client)

    dumps = [component.dump_component().model_dump_json() for component in (client, azure, agent)]

    assert [_leaks(dump) for dump in dumps] == [[]] * 3
    assert [_leaks(repr(component)) for component in (client, azure, agent)] == [[]] * 3
    assert all("X-Team" in dump for dump in (dumps[0], dumps[2]))


HEADERS = {"Authorization": f"Bearer {KEY}", "X-Team-Token": KEY, "Cookie": f"session={KEY}"}
CLIENTS: dict[str, Callable[[str], ChatCompletionClient]] = {
    "openai": lambda url: OpenAIChatCompletionClient(model="gpt-4o", api_key=KEY, base_url=url),
    "openai by header": lambda url: OpenAIChatCompletionClient(
        model="gpt-4o", api_key="other", base_url=url, default_headers=HEADERS
    ),
    "responses": lambda url: OpenAIResponsesChatCompletionClient(model="gpt-4o", api_key=KEY, base_url=url),
    "azure": lambda url: AzureOpenAIChatCompletionClient(
        model="gpt-4o", api_key=KEY, azure_endpoint=url, api_version="2024-06-01"
    ),
    "anthropic": lambda url: AnthropicChatCompletionClient(model="claude-haiku-4-5", api_key=KEY, base_url=url),
    "gemini": lambda url: GeminiChatCompletionClient(model="gemini-2.5-flash", api_key=KEY, base_url=url),
    "ollama": lambda url: OllamaChatCompletionClient(model="llama3.2", host=url, headers=HEADERS),
}


class Logged(logging.Handler):
    """All that is logged anywhere, as it would be written."""

    def __init__(self) -> None:
        super().__init__(1)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {logging.Formatter().format(record)}")


@pytest.fixture
def logged() -> Iterator[Logged]:
    root, handler = logging.getLogger(), Logged()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
async def telltale() -> AsyncIterator[FaultyProvider]:
    said = refusal(400, f"{KEY} is wrong", Set_Cookie=f"session={KEY}", Mcp_Session_Id=KEY)
    async with FaultyProvider([said]) as running:
        yield running


async def _asked(client: ChatCompletionClient, streams: bool) -> None:
    messages = [UserMessage(content="hello", source="user")]
    if not streams:
        await client.create(messages)
    async for _ in client.create_stream(messages):
        pass


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("streams", [False, True])
async def test_no_log_shows_a_models_key(name: str, streams: bool, telltale: FaultyProvider, logged: Logged) -> None:
    client = CLIENTS[name](telltale.base_url)

    with pytest.raises(ModelError) as raised:
        await _asked(client, streams)

    assert KEY.encode() in telltale.requests[0]
    assert any(line.startswith("httpcore") for line in logged.lines)
    assert [line for line in logged.lines if _leaks(line)] == []
    assert _leaks(str(raised.value)) == []


async def test_no_log_shows_the_headers_of_an_http_tool(logged: Logged) -> None:
    said = answer(200, {"fine": True}, Set_Cookie=f"session={KEY}")
    async with FaultyProvider([said]) as running:
        host, _, port = running.base_url.removeprefix("http://").partition("/")[0].partition(":")
        tool = HttpTool("t", host, int(port), {"type": "object", "properties": {}}, headers=HEADERS)
        result = await tool.run_json({}, CancellationToken())

    assert result == '{"fine": true}'
    assert KEY.encode() in running.requests[0]
    assert any(line.startswith("httpcore") for line in logged.lines)
    assert [line for line in logged.lines if _leaks(line)] == []


@pytest.mark.parametrize("kind", [StreamableHttpServerParams, SseServerParams])
async def test_no_log_shows_what_an_mcp_server_is_reached_with(
    kind: type[StreamableHttpServerParams | SseServerParams], telltale: FaultyProvider, logged: Logged
) -> None:
    params = kind(url=f"{telltale.base_url}/mcp?token={KEY}", headers=HEADERS, timeout=2)

    with pytest.raises(McpError) as raised:
        await McpWorkbench(params).list_tools()

    assert KEY.encode() in telltale.requests[0]
    assert any("mcp?token=****" in line for line in logged.lines)
    assert [line for line in logged.lines if _leaks(line)] == []
    assert _leaks(f"{raised.value}{params!r}".replace(params.url, "")) == []
