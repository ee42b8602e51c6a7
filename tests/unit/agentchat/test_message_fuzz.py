"""Whatever a dump holds, the message factory builds a message or says at which place it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agentopic.agentchat import messages
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory
from agentopic.core import FunctionCall
from agentopic.core.code_executor import CodeBlock, CodeResult
from agentopic.core.memory import MemoryContent
from agentopic.core.models import FunctionExecutionResult
from agentopic.errors import MessageFormatError

CALL = FunctionCall(id="1", name="f", arguments="{}")
RESULT = FunctionExecutionResult(content="x", name="f", call_id="1", is_error=False)
SAMPLES: list[BaseChatMessage | BaseAgentEvent] = [
    messages.TextMessage(content="c", source="s"),
    messages.MultiModalMessage(content=["c"], source="s"),
    messages.StopMessage(content="c", source="s"),
    messages.HandoffMessage(content="c", source="s", target="t"),
    messages.ToolCallSummaryMessage(content="c", source="s", tool_calls=[CALL], results=[RESULT]),
    messages.ToolCallRequestEvent(content=[CALL], source="s"),
    messages.ToolCallExecutionEvent(content=[RESULT], source="s"),
    messages.MemoryQueryEvent(content=[MemoryContent(content="m", mime_type="text/plain")], source="s"),
    messages.UserInputRequestedEvent(request_id="r", source="s"),
    messages.ModelClientStreamingChunkEvent(content="c", source="s"),
    messages.ThoughtEvent(content="c", source="s"),
    messages.SelectSpeakerEvent(content=["a"], source="s"),
    messages.SelectorEvent(content="c", source="s"),
    messages.CodeGenerationEvent(retry_attempt=0, content="c", code_blocks=[CodeBlock("1", "py")], source="s"),
    messages.CodeExecutionEvent(retry_attempt=0, result=CodeResult(0, "o"), source="s"),
]
NAMES = [type(sample).__name__ for sample in SAMPLES]
FIELDS = sorted({name for sample in SAMPLES for name in type(sample).model_fields})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner),
    max_leaves=12,
)


def built(dump: Any) -> BaseChatMessage | BaseAgentEvent | None:
    """The message, or None when the dump was refused for something that is in it."""
    made, places = tried(dump)
    assert made is not None or all(places)
    return made


def tried(dump: Any) -> tuple[BaseChatMessage | BaseAgentEvent | None, list[Any]]:
    """The message, or where in the dump it does not fit."""
    try:
        return MessageFactory().create(dump), []
    except MessageFormatError as exc:
        return None, [str(exc)]
    except ValidationError as exc:
        return None, [error["loc"] for error in exc.errors()]


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_any_json_is_a_message_or_refused(dump: Any) -> None:
    made = built(dump)

    assert made is None or type(made).__name__ in NAMES


@given(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
@settings(max_examples=300, deadline=None)
def test_any_fields_of_a_known_type_are_a_message_or_refused(name: str, fields: dict[str, Any]) -> None:
    made = built({**fields, "type": name})

    assert made is None or built(made.dump()) == made


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=200, deadline=None)
def test_a_dump_with_one_field_gone_wrong_names_that_field(sample: Any, data: st.DataObject) -> None:
    dump = dict(sample.dump())
    field = data.draw(st.sampled_from([name for name in dump if name != "type"]))
    dump[field] = data.draw(st.sampled_from([{"no": "such thing"}, [[[]]], 3.5]))

    made, places = tried(dump)

    assert made is not None or {place[0] for place in places} == {field}


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_a_dump_is_built_again(sample: Any) -> None:
    made = MessageFactory().create(sample.dump())

    assert made == sample
    assert type(made) is type(sample)
    assert isinstance(made.to_text(), str)


@pytest.mark.parametrize("dump", [None, 3, "text", [], [{"type": "TextMessage"}]])
def test_what_is_no_object_is_refused(dump: Any) -> None:
    with pytest.raises(MessageFormatError, match="object with the field 'type'"):
        MessageFactory().create(dump)


@pytest.mark.parametrize("name", [["TextMessage"], {"a": 1}, 3, True, "", "BaseMessage", "x" * 10_000])
def test_a_type_that_is_none_is_refused_in_few_words(name: Any) -> None:
    with pytest.raises(MessageFormatError, match=r"^type: Unknown message type") as caught:
        MessageFactory().create({"type": name})

    assert len(str(caught.value)) < 200
