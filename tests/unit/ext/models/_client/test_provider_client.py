"""The shape of every call: time-outs, repetitions, streams that stall or break; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from random import Random
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from agentopic.core import CancellationToken
from agentopic.core._turn import current_turn
from agentopic.core.models import CreateResult, ModelInfo, RequestUsage, UserMessage
from agentopic.errors import (
    ModelRefusedError,
    ModelTimeoutError,
    ModelUnavailableError,
    RateLimitedError,
)
from agentopic.ext.models._client import AnswerDraft, ProviderClient, Question
from agentopic.testing.virtual_loop import VirtualLoop

T = TypeVar("T")

ASKED = [UserMessage(content="hello", source="user")]
ABLE = ModelInfo(vision=False, function_calling=False, json_output=False, family="unknown", structured_output=False)


class Answer(BaseModel):
    text: str


class BrokenError(ConnectionError):
    """What the SDK of these tests raises."""


class Late:
    """An event that takes seconds to come."""

    def __init__(self, event: str, seconds: float) -> None:
        self.event, self.seconds = event, seconds


class Assembly:
    def __init__(self) -> None:
        self._draft = AnswerDraft({"stop": "stop"})

    def add(self, event: Any) -> Sequence[str]:
        if event == "end":
            self._draft.finish_reason = "stop"
            return ()
        return [self._draft.add_text(event)]

    def result(self) -> CreateResult:
        return self._draft.finished()


class Client(ProviderClient):
    """Plays what it is given: each call takes the next item, an answer, a failure or a late one."""

    def __init__(self, *plays: Any, **options: Any) -> None:
        super().__init__(model="m", model_info=ABLE, **options)
        self.plays = list(plays)
        self.at: list[float] = []
        self.closed = 0

    async def close(self) -> None:
        """Nothing is open."""

    def remaining_tokens(self, messages: Any, *, tools: Any = ()) -> int:
        return 1

    def _request(self, question: Question, *, stream: bool) -> dict[str, Any]:
        return {"messages": [message.content for message in question.messages]}

    async def _play(self, item: Any) -> Any:
        if isinstance(item, Exception):
            raise item
        if isinstance(item, Late):
            await asyncio.sleep(item.seconds)
            return item.event
        return item

    async def _ask(self, request: dict[str, Any]) -> Any:
        self.at.append(asyncio.get_running_loop().time())
        return Answer(text=str(await self._play(self.plays.pop(0))))

    def _read(self, answer: Any) -> CreateResult:
        usage = RequestUsage(prompt_tokens=2, completion_tokens=1)
        return CreateResult(finish_reason="stop", content=answer.text, usage=usage, cached=False)

    async def _events(self, request: dict[str, Any]) -> AsyncGenerator[Any, None]:
        self.at.append(asyncio.get_running_loop().time())
        try:
            for item in self.plays.pop(0):
                yield await self._play(item)
        finally:
            self.closed += 1

    def _assembly(self) -> Assembly:
        return Assembly()

    @contextmanager
    def _translate(self) -> Generator[None]:
        try:
            yield
        except BrokenError as exc:
            raise ModelUnavailableError(str(exc)) from exc

    def _translated_errors(self) -> AbstractContextManager[None]:
        return self._translate()


@pytest.fixture
def play() -> Callable[[Coroutine[Any, Any, T]], T]:
    """Run in virtual time: pauses and time-outs cost nothing."""
    return lambda work: VirtualLoop(Random(1)).run_within(work, seconds=10_000)


Play = Callable[[Coroutine[Any, Any, Any]], Any]


async def _streamed(client: Client, shown: list[str]) -> CreateResult:
    async for item in client.create_stream(ASKED):
        if isinstance(item, CreateResult):
            return item
        shown.append(item)
    raise AssertionError("no result")


def test_a_call_without_an_answer_ends_by_its_time_out_each_time(play: Play) -> None:
    client = Client(*[Late("fine", 1000)] * 2, timeout=30, retries=1)

    with pytest.raises(ModelTimeoutError, match="no sign of an answer for 30"):
        play(client.create(ASKED))

    assert len(client.at) == 2
    assert 30 < client.at[1] - client.at[0] <= 30.5


def test_pauses_grow_up_to_a_bound(play: Play) -> None:
    client = Client(*[BrokenError("away")] * 8, "fine", retries=8)

    result = play(client.create(ASKED))

    pauses = [later - earlier for earlier, later in zip(client.at, client.at[1:], strict=False)]
    assert result.content == "fine"
    assert all(0.75 * full <= pause <= full for pause, full in zip(pauses, [0.5, 1, 2, 4, 8, 8, 8, 8], strict=True))


def test_a_provider_that_asks_for_a_pause_gets_it(play: Play) -> None:
    client = Client(RateLimitedError("slow down", 20.0), "fine")

    play(client.create(ASKED))

    assert client.at[1] - client.at[0] == 20.0


def test_a_pause_of_more_than_a_minute_is_the_callers_to_wait(play: Play) -> None:
    client = Client(RateLimitedError("tomorrow", 3600.0), "fine")

    with pytest.raises(RateLimitedError):
        play(client.create(ASKED))

    assert len(client.at) == 1


def test_what_is_refused_for_good_is_not_asked_again(play: Play) -> None:
    client = Client(ModelRefusedError("no"), "fine")

    with pytest.raises(ModelRefusedError):
        play(client.create(ASKED))

    assert len(client.at) == 1


def test_inside_a_turn_a_call_is_made_once(play: Play) -> None:
    client = Client(BrokenError("away"), "fine")

    async def within_a_turn() -> None:
        current_turn.set(object())  # pyright: ignore[reportArgumentType] - only its presence is looked at
        # The step that a turn makes of it is not what is looked at here.
        await client._answer(Question(messages=ASKED, extra={}), None)

    with pytest.raises(ModelUnavailableError):
        play(within_a_turn())

    assert len(client.at) == 1


def test_a_stream_that_does_not_begin_is_asked_for_again(play: Play) -> None:
    client, shown = Client([BrokenError("away")], ["fi", "ne", "end"]), list[str]()

    result = play(_streamed(client, shown))

    assert (result.content, shown, client.closed) == ("fine", ["fi", "ne"], 2)


@pytest.mark.parametrize(
    ("events", "error"),
    [
        (["fi", Late("ne", 1000), "end"], ModelTimeoutError),
        (["fi", BrokenError("gone")], ModelUnavailableError),
        (["fi"], ModelUnavailableError),
    ],
)
def test_a_stream_that_stalls_or_breaks_off_is_an_error_and_not_asked_for_again(
    events: list[Any], error: type[Exception], play: Play
) -> None:
    client, shown = Client(events, ["again", "end"]), list[str]()

    with pytest.raises(error):
        play(_streamed(client, shown))

    assert (shown, len(client.at), client.closed) == (["fi"], 1, 1)
    assert client.total_usage() == RequestUsage(prompt_tokens=0, completion_tokens=0)


def test_the_time_out_is_for_each_event_and_not_for_the_whole_stream(play: Play) -> None:
    client, shown = Client([*[Late("a", 25.0)] * 10, "end"], timeout=30), list[str]()

    result = play(_streamed(client, shown))

    assert result.content == "a" * 10


def test_a_reader_may_take_its_time(play: Play) -> None:
    client = Client(["a", "b", "end"], timeout=30)

    async def read() -> int:
        count = 0
        async for _ in client.create_stream(ASKED):
            await asyncio.sleep(100)
            count += 1
        return count

    assert play(read()) == 3


def test_a_stream_that_is_left_is_closed(play: Play) -> None:
    client = Client(["a", "b", "end"])

    async def leave() -> None:
        stream = client.create_stream(ASKED)
        await anext(stream)
        await stream.aclose()

    play(leave())

    assert client.closed == 1


@pytest.mark.parametrize("streams", [False, True])
def test_a_cancelled_token_ends_the_call_at_once(streams: bool, play: Play) -> None:
    client = Client([Late("a", 1000)] if streams else Late("a", 1000), timeout=None)

    async def cancelled() -> float:
        token = CancellationToken()
        asyncio.get_running_loop().call_later(5, token.cancel)
        call = client.create(ASKED, cancellation_token=token)
        stream = client.create_stream(ASKED, cancellation_token=token)
        with pytest.raises(asyncio.CancelledError):
            await (anext(stream) if streams else call)
        call.close()
        return asyncio.get_running_loop().time()

    assert play(cancelled()) == 5


def test_usage_is_that_of_the_calls_that_were_answered(play: Play) -> None:
    client = Client(BrokenError("away"), "fine", "too")

    async def twice() -> None:
        await client.create(ASKED)
        await client.create(ASKED)

    play(twice())

    assert client.actual_usage() == RequestUsage(prompt_tokens=4, completion_tokens=2)
