from __future__ import annotations

import pytest

from agentopic.core import FunctionCall
from agentopic.core.model_context import (
    BufferedChatCompletionContext,
    ChatCompletionContext,
    HeadAndTailChatCompletionContext,
    TokenLimitedChatCompletionContext,
    UnboundedChatCompletionContext,
)
from agentopic.core.models import (
    AssistantMessage,
    FunctionExecutionResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    UserMessage,
)
from agentopic.ext.models.replay import ReplayChatCompletionClient

CALL = AssistantMessage(content=[FunctionCall("1", "{}", "f")], source="a")
RESULT = FunctionExecutionResultMessage(content=[FunctionExecutionResult(content="r", name="f", call_id="1")])


def said(number: int) -> UserMessage:
    return UserMessage(content=f"m{number}", source="u")


async def shown(context: ChatCompletionContext, *messages: LLMMessage) -> list[str | type]:
    for message in messages:
        await context.add_message(message)
    return [m.content if isinstance(m.content, str) else type(m) for m in await context.get_messages()]


async def test_unbounded_shows_everything() -> None:
    assert await shown(UnboundedChatCompletionContext([said(0)]), said(1)) == ["m0", "m1"]


async def test_buffered_shows_the_last_and_no_result_without_its_call() -> None:
    assert await shown(BufferedChatCompletionContext(2), said(1), said(2), said(3)) == ["m2", "m3"]
    assert await shown(BufferedChatCompletionContext(2), CALL, RESULT, said(3)) == ["m3"]


async def test_head_and_tail_shows_the_gap() -> None:
    context = HeadAndTailChatCompletionContext(1, 2)

    assert await shown(context, *map(said, range(5))) == ["m0", "Skipped 2 messages.", "m3", "m4"]


async def test_head_and_tail_leaves_out_calls_and_results_cut_apart() -> None:
    context = HeadAndTailChatCompletionContext(2, 2)

    assert await shown(context, said(0), CALL, said(2), said(3), RESULT, said(5)) == [
        "m0",
        "Skipped 2 messages.",
        "m5",
    ]


async def test_head_and_tail_without_a_gap_shows_everything() -> None:
    assert await shown(HeadAndTailChatCompletionContext(2, 2), *map(said, range(4))) == ["m0", "m1", "m2", "m3"]


async def test_token_limited_takes_out_the_middle() -> None:
    context = TokenLimitedChatCompletionContext(ReplayChatCompletionClient([]), token_limit=4)

    assert await shown(context, *map(said, range(6))) == ["m0", "m1", "m4", "m5"]


async def test_token_limited_without_a_limit_asks_the_model() -> None:
    context = TokenLimitedChatCompletionContext(ReplayChatCompletionClient([]))

    assert await shown(context, said(0)) == ["m0"]


@pytest.mark.parametrize(
    "context",
    [
        UnboundedChatCompletionContext([said(0)]),
        BufferedChatCompletionContext(3, [said(0)]),
        HeadAndTailChatCompletionContext(1, 2, [said(0)]),
        TokenLimitedChatCompletionContext(ReplayChatCompletionClient(["x"]), token_limit=9, initial_messages=[said(0)]),
    ],
    ids=lambda context: type(context).__name__,
)
async def test_a_context_is_built_again_from_json_and_from_its_state(context) -> None:
    loaded = ChatCompletionContext.load_component(context.dump_component().model_dump(mode="json"))
    await loaded.clear()

    await loaded.load_state(await context.save_state())

    assert type(loaded) is type(context)
    assert await loaded.get_messages() == await context.get_messages() == [said(0)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: BufferedChatCompletionContext(0),
        lambda: HeadAndTailChatCompletionContext(0, 1),
        lambda: HeadAndTailChatCompletionContext(1, 0),
        lambda: TokenLimitedChatCompletionContext(ReplayChatCompletionClient([]), token_limit=0),
    ],
)
def test_sizes_must_be_positive(make) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        make()
