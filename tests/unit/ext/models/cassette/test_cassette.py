from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from agentopic.core.models import ChatCompletionClient, UserMessage
from agentopic.errors import CassetteError
from agentopic.ext.models.anthropic import AnthropicChatCompletionClient
from agentopic.ext.models.cassette import Cassette
from agentopic.ext.models.gemini import GeminiChatCompletionClient
from agentopic.ext.models.ollama import OllamaChatCompletionClient
from agentopic.ext.models.openai import OpenAIChatCompletionClient

KEY = "sk-very-secret-key-1234567890"
PASSWORD = "hunter2hunter2"
HELLO = [UserMessage(content="hello", source="user")]
ANSWERS: dict[str, dict[str, Any]] = {
    "openai": {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    },
    "anthropic": {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "c",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    "gemini": {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP", "index": 0}]
    },
    "ollama": {"model": "m", "done": True, "done_reason": "stop", "message": {"role": "assistant", "content": "hi"}},
}


def client_of(name: str, cassette: Cassette, key: str = KEY) -> ChatCompletionClient:
    answer = ANSWERS[name]
    headers = {"set-cookie": f"session={PASSWORD}", "x-request-id": "r"}
    inner2 = httpx2.MockTransport(lambda _: httpx2.Response(200, json=answer, headers=headers))
    inner = httpx.MockTransport(lambda _: httpx.Response(200, json=answer, headers=headers))
    http2 = httpx2.AsyncClient(transport=cassette.transport("httpx2", inner2))
    if name == "openai":
        return OpenAIChatCompletionClient(model="gpt-4o", api_key=key, http_client=http2)
    if name == "anthropic":
        return AnthropicChatCompletionClient(model="claude-haiku-4-5", api_key=key, http_client=http2)
    if name == "gemini":
        return GeminiChatCompletionClient(model="gemini-2.5-flash", api_key=key, http_client=http2)
    transport = cassette.transport("httpx", inner)
    return OllamaChatCompletionClient(
        model="llama3.2",
        host="http://ollama.test",
        headers={"Authorization": f"Bearer {key}"},
        transport=transport,
    )


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_was_recorded_is_played_without_a_provider(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cassette.jsonl"
    recording = client_of(name, Cassette(path, "record"))
    first = await recording.create(HELLO)
    await recording.close()
    cassette = Cassette(path)
    playing = client_of(name, cassette, key="another-key-of-eight")

    second = await playing.create(HELLO)

    await playing.close()
    assert (second.content, second.usage) == (first.content, first.usage) == ("hi", first.usage)
    assert cassette.unplayed == []


@pytest.mark.parametrize("name", ANSWERS)
async def test_no_key_and_no_cookie_gets_into_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cassette.jsonl"
    client = client_of(name, Cassette(path, "record"))

    await client.create([UserMessage(content=f"my key is {KEY}", source="user")])

    await client.close()
    text = path.read_text()
    assert "my key is" in text
    assert KEY not in text
    assert PASSWORD not in text
    assert "authorization" not in text.lower()


async def test_a_key_in_the_address_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "cassette.jsonl"
    inner = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    async with httpx.AsyncClient(transport=Cassette(path, "record").transport("httpx", inner)) as client:
        await client.post("https://models.test/v1/go?key=AIzaSecretSecret&alt=sse", json={"a": 1})

    assert "AIza" not in path.read_text()
    assert "/v1/go?alt=sse" in path.read_text()


async def test_what_was_not_recorded_is_an_error_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cassette.jsonl"
    recording = client_of("openai", Cassette(path, "record"))
    await recording.create(HELLO)
    playing = client_of("openai", Cassette(path))

    with pytest.raises(CassetteError, match="record it again"):
        await playing.create([UserMessage(content="something else", source="user")])

    await recording.close()
    await playing.close()


def test_a_file_that_is_no_cassette_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("not json\n")

    with pytest.raises(CassetteError, match=r"x\.jsonl"):
        Cassette(tmp_path / "x.jsonl")
    with pytest.raises(CassetteError, match="missing"):
        Cassette(tmp_path / "missing.jsonl")
