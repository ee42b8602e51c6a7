from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest

from agentopic.agentchat.base import OrTerminationCondition, TerminatedException, TerminationCondition
from agentopic.agentchat.conditions import (
    ExternalTermination,
    FunctionalTermination,
    FunctionCallTermination,
    HandoffTermination,
    MaxMessageTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
    TimeoutTermination,
    TokenUsageTermination,
)
from agentopic.agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    StopMessage,
    TextMessage,
    ToolCallExecutionEvent,
)
from agentopic.core import ComponentLoader
from agentopic.core.models import FunctionExecutionResult, RequestUsage
from agentopic.errors import ComponentError

RESULT = FunctionExecutionResult(content="x", name="f", call_id="1", is_error=False)
USAGE = RequestUsage(prompt_tokens=2, completion_tokens=3)
THREAD: list[BaseAgentEvent | BaseChatMessage] = [
    TextMessage(content="a TERM", source="a", models_usage=USAGE),
    ToolCallExecutionEvent(content=[RESULT], source="b"),
    HandoffMessage(content="h", source="b", target="c", models_usage=USAGE),
    StopMessage(content="s", source="c"),
    TextMessage(content="z", source="d", models_usage=USAGE),
]


class Third(TerminationCondition):
    """A condition of somebody who knows nothing of saved states."""

    def __init__(self) -> None:
        self.seen = 0
        self.sources: list[str] = []
        self.judge: Callable[[int], bool] = lambda seen: seen >= 3

    @property
    def terminated(self) -> bool:
        return self.judge(self.seen)

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        self.seen += len(messages)
        self.sources += [message.source for message in messages]
        return StopMessage(content=" ".join(self.sources), source="Third") if self.terminated else None

    async def reset(self) -> None:
        self.seen, self.sources = 0, []


MAKERS: dict[str, Callable[[], TerminationCondition]] = {
    "max": lambda: MaxMessageTermination(3),
    "mention": lambda: TextMentionTermination("z"),
    "stop": StopMessageTermination,
    "tokens": lambda: TokenUsageTermination(max_total_token=15),
    "handoff": lambda: HandoffTermination("c"),
    "time": lambda: TimeoutTermination(60),
    "source": lambda: SourceMatchTermination(["d"]),
    "text": lambda: TextMessageTermination("d"),
    "function": lambda: FunctionCallTermination("f"),
    "external": ExternalTermination,
    "own": Third,
    "and": lambda: TextMentionTermination("TERM") & StopMessageTermination() & MaxMessageTermination(2),
    "or": lambda: Third() | (HandoffTermination("c") & TextMessageTermination("d")),
}


async def _reasons(make: Callable[[], TerminationCondition], *, reloaded: bool) -> list[str | None]:
    condition, reasons = make(), []
    for message in THREAD:
        if condition.terminated:
            break
        stop = await condition([message])
        reasons.append(stop and stop.content)
        if reloaded:
            state = await condition.save_state()
            condition = make()
            await condition.load_state(state)
    return reasons


@pytest.mark.parametrize("name", MAKERS)
async def test_a_condition_put_away_after_every_message_ends_for_the_same_reason(name: str) -> None:
    undisturbed = await _reasons(MAKERS[name], reloaded=False)

    reloaded = await _reasons(MAKERS[name], reloaded=True)

    assert reloaded == undisturbed


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"own", "or"}))
async def test_a_condition_is_built_again_from_json(name: str) -> None:
    dumped = MAKERS[name]().dump_component()

    loaded = ComponentLoader.load_component(dumped.model_dump(), TerminationCondition)

    assert loaded.dump_component() == dumped


async def test_the_sources_of_a_mention_are_kept_in_json() -> None:
    dumped = TextMentionTermination("T", sources=["a"]).dump_component()

    loaded = TextMentionTermination.load_component(dumped)

    assert dumped.config == {"text": "T", "sources": ["a"]}
    assert await loaded([TextMessage(content="T", source="b")]) is None
    assert await loaded([TextMessage(content="T", source="a")]) is not None


def test_a_function_cannot_be_written_as_json() -> None:
    with pytest.raises(ComponentError):
        FunctionalTermination(lambda messages: True).dump_component()


@pytest.mark.parametrize("error", [TerminatedException, RuntimeError])
async def test_a_reached_combination_is_refused_by_the_name_either_operator_uses(error: type[BaseException]) -> None:
    either = OrTerminationCondition(StopMessageTermination(), MaxMessageTermination(1))
    await either([StopMessage(content="s", source="a")])

    with pytest.raises(error, match="already been reached"):
        await either([])


async def test_a_reset_condition_begins_anew() -> None:
    for make in MAKERS.values():
        condition = make()
        for message, _ in itertools.takewhile(
            lambda pair: not pair[1].terminated, zip(THREAD, itertools.repeat(condition), strict=False)
        ):
            await condition([message])
        await condition.reset()

        assert not condition.terminated


async def test_an_external_request_survives_being_put_away() -> None:
    condition = ExternalTermination()
    condition.set()
    state = await condition.save_state()
    again = ExternalTermination()

    await again.load_state(state)

    assert await again([]) is not None


async def test_a_timeout_is_judged_by_the_time_of_the_turn(turns) -> None:
    reasons = []
    for _ in range(2):
        with turns.attempt():
            condition = TimeoutTermination(1.5)
            reasons.append([(stop := await condition([])) and stop.content for _ in range(1)])
            reasons.append([(stop := await condition([])) and stop.content for _ in range(1)])

    assert reasons == [[None], ["Timeout of 1.5 seconds reached"]] * 2


async def test_a_timeout_goes_on_where_it_was_put_away() -> None:
    old = {"terminated": False, "started_at": "2020-01-01T00:00:00Z"}
    condition = TimeoutTermination(60)

    await condition.load_state(old)

    assert await condition([]) is not None


async def test_a_state_is_not_changed_by_the_condition_that_gave_it() -> None:
    condition = Third()
    await condition(THREAD[:1])
    state = await condition.save_state()

    await condition(THREAD[1:2])

    assert state == {"seen": 1, "sources": ["a"]}
