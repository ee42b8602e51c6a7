"""Providers that fail: how often a service asks, what it waits for, and how a delivery ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic import wiring
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload
from agentopic.core.models import CreateResult, UserMessage
from agentopic.engine.options import RetryPolicy
from agentopic.engine.runtime import EngineRuntime, Hosting
from agentopic.ext.models.openai import OpenAIChatCompletionClient
from agentopic.ports.transport import TopicPartition
from agentopic.settings import Settings

from .faulty_provider import HANG, FaultyProvider, answer, completion, refusal, stream
from .sales_desk import INFO

QUICK = RetryPolicy(max_failures=4, initial_seconds=0.0)
TWICE = RetryPolicy(max_failures=2, initial_seconds=0.0)
GOOD = completion("fine")
RETRYABLE = ("ModelUnavailableError", "ModelTimeoutError", "RateLimitedError")


@payload("faults.Question.v1")
class Question(BaseModel):
    text: str = "hello"


class Asker(RoutedAgent):
    """Asks its model once per question."""

    def __init__(self, client: OpenAIChatCompletionClient, heard: list[str], streaming: bool) -> None:
        super().__init__("asks")
        self._client, self._heard, self._streaming = client, heard, streaming

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> None:
        asked = [UserMessage(content=message.text, source="user")]
        if not self._streaming:
            result = await self._client.create(asked)
            self._heard.append(str(result.content))
            return
        async for item in self._client.create_stream(asked):
            if isinstance(item, CreateResult):
                self._heard.append(str(item.content))


class Outcome:
    """What became of one question."""

    def __init__(self, provider: FaultyProvider, heard: list[str], deaths: list[dict[str, str]]) -> None:
        self.requests, self.heard, self.deaths = len(provider.requests), heard, deaths
        self.pauses = [later - earlier for earlier, later in zip(provider.at, provider.at[1:], strict=False)]


async def ask(answers: Sequence[bytes], ns: str, *, streaming: bool = False, **options: Any) -> Outcome:
    """Publish one question to a service whose provider answers like this, and wait until it is done."""
    async with FaultyProvider(answers) as provider:
        settings = Settings(transport=f"memory://{ns}", namespace=ns, partitions=1)
        looking = wiring.mesh(settings)
        chosen = {"model_retry": QUICK, "retry": TWICE, **options}
        runtime = EngineRuntime(wiring.mesh(settings), replace(wiring.engine_options(settings), **chosen))
        client = OpenAIChatCompletionClient(
            model="m", api_key="k", base_url=provider.base_url, model_info=INFO, timeout=0.3
        )
        heard: list[str] = []
        runtime.host_as("asker", Hosting(state="none"))
        await Asker.register(runtime, "asker", lambda: Asker(client, heard, streaming))
        await runtime.add_subscription(TypeSubscription("question", "asker"))
        await runtime.start()
        await runtime.publish_message(Question(), TopicId("question", "k"))
        await runtime.stop_when_idle()
        await client.close()
        return Outcome(provider, heard, await _deaths(looking, ns))


async def _deaths(mesh: Any, ns: str) -> list[dict[str, str]]:
    part = TopicPartition(f"{ns}.dead.asker", 0)
    offsets = (await mesh.admin.offsets([part]))[part]
    reader = await mesh.transport.reader("looking")
    await reader.assign({part: offsets.beginning})
    records: list[Any] = []
    while len(records) < offsets.end - offsets.beginning:
        records += await reader.read(10, 5.0)
    await reader.aclose()
    prefix = "agentopic.dead."
    return [{name.removeprefix(prefix): value.decode() for name, value in record.headers} for record in records]


TRANSIENT = {
    "500": refusal(500),
    "503": refusal(503),
    "408": refusal(408),
    "429": refusal(429),
    "no answer in time": HANG,
    "malformed JSON": answer(200, b'{"id": "c", "choices": ['),
    "a page of HTML": answer(200, b"<html>busy</html>").replace(b"application/json", b"text/html"),
    "an answer that breaks off": GOOD.replace(b"Content-Length: ", b"Content-Length: 9"),
}
STREAMS = {
    "500": refusal(500),
    "no answer in time": HANG,
    "without its end": stream("fi", ends=False),
    "breaks off": stream("fi", ends=False, length=9999),
    "breaks off inside an event": stream("fi", ends=False, length=9999)[:-20],
    "an event that is not JSON": stream("fi", ends=True).replace(b'"choices"', b"choices", 1),
}


@pytest.mark.parametrize("fault", TRANSIENT)
async def test_a_transient_fault_is_asked_again_inside_the_step(fault: str, ns: str) -> None:
    outcome = await ask([TRANSIENT[fault]] * 3 + [GOOD], ns)

    assert (outcome.heard, outcome.requests, outcome.deaths) == (["fine"], 4, [])


@pytest.mark.parametrize("fault", STREAMS)
async def test_a_transient_fault_of_a_stream_is_asked_again_inside_the_step(fault: str, ns: str) -> None:
    outcome = await ask([STREAMS[fault]] * 3 + [stream("fi", "ne", ends=True)], ns, streaming=True)

    assert (outcome.heard, outcome.requests, outcome.deaths) == (["fine"], 4, [])


@pytest.mark.parametrize(
    ("fault", "streaming"), [*((name, False) for name in TRANSIENT), *((name, True) for name in STREAMS)]
)
async def test_a_fault_that_stays_ends_in_the_dead_letters(fault: str, streaming: bool, ns: str) -> None:
    outcome = await ask([(STREAMS if streaming else TRANSIENT)[fault]], ns, streaming=streaming)

    assert outcome.heard == []
    assert outcome.requests == 2 * 4
    (death,) = outcome.deaths
    assert (death["reason"], death["attempts"]) == ("AttemptsExhaustedError", "2")
    assert any(f"last with {name}: " in death["message"] for name in RETRYABLE)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (400, "no such parameter", "ModelRefusedError"),
        (401, "bad key", "ModelAuthenticationError"),
        (404, "no such model", "ModelRefusedError"),
        (400, "context_length_exceeded", "ContextTooLongError"),
    ],
)
async def test_a_refusal_is_not_asked_again(status: int, message: str, reason: str, streaming: bool, ns: str) -> None:
    outcome = await ask([refusal(status, message)], ns, streaming=streaming)

    assert outcome.requests == 1
    (death,) = outcome.deaths
    assert (death["reason"], death["attempts"]) == (reason, "1")
    assert message in death["message"]


@pytest.mark.parametrize("header", [{"Retry_After": "0.4"}, {"Retry_After_Ms": "400"}])
async def test_the_providers_wish_is_honoured(header: dict[str, str], ns: str) -> None:
    outcome = await ask([refusal(429, "slow down", **header), GOOD], ns)

    assert outcome.heard == ["fine"]
    assert outcome.pauses[0] >= 0.4


async def test_an_empty_account_is_not_asked_again(ns: str) -> None:
    body = {"error": {"message": "pay first", "type": "insufficient_quota", "code": "insufficient_quota"}}

    outcome = await ask([answer(429, body)], ns)

    assert (outcome.requests, outcome.deaths[0]["reason"]) == (1, "ModelRefusedError")


async def test_the_defaults_are_three_retries_with_growing_pauses() -> None:
    options = wiring.engine_options(Settings(transport="memory://"))

    assert options.model_retry.max_failures == 1 + 3
    assert [options.model_retry.ceiling(failures) for failures in (1, 2, 3)] == [0.5, 1.0, 2.0]
