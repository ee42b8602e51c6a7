from __future__ import annotations

import pytest
from PIL import Image as PILImage
from pydantic import BaseModel

from agentopic.agentchat.messages import (
    HandoffMessage,
    MemoryQueryEvent,
    MessageFactory,
    MultiModalMessage,
    SelectSpeakerEvent,
    StopMessage,
    StructuredMessage,
    StructuredMessageFactory,
    TextMessage,
    ToolCallRequestEvent,
    ToolCallSummaryMessage,
)
from agentopic.agentchat.utils import content_to_str, remove_images
from agentopic.core import FunctionCall, Image
from agentopic.core.memory import MemoryContent
from agentopic.core.models import AssistantMessage, FunctionExecutionResult, UserMessage

PIXEL = Image(PILImage.new("RGB", (1, 1)))


class Number(BaseModel):
    x: int


MESSAGES = [
    TextMessage(content="t", source="a", metadata={"k": "v"}),
    StopMessage(content="t", source="a"),
    HandoffMessage(content="t", source="a", target="b", context=[AssistantMessage(content="c", source="a")]),
    ToolCallSummaryMessage(
        content="t",
        source="a",
        tool_calls=[FunctionCall("1", "{}", "f")],
        results=[FunctionExecutionResult(content="r", name="f", call_id="1")],
    ),
    MultiModalMessage(content=["t", PIXEL], source="a"),
    ToolCallRequestEvent(content=[FunctionCall("1", "{}", "f")], source="a"),
    MemoryQueryEvent(content=[MemoryContent(content="x", mime_type="text/plain")], source="a"),
    SelectSpeakerEvent(content=["a"], source="t"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_found_again_by_its_type(message) -> None:
    created = MessageFactory().create(message.dump())

    assert type(created) is type(message)
    assert created.dump() == message.dump()


def test_a_structured_message_is_found_once_it_is_registered() -> None:
    factory = MessageFactory()
    message = StructuredMessage[Number](content=Number(x=1), source="a")

    factory.register(StructuredMessage[Number])

    assert message.dump()["type"] == "StructuredMessage[Number]"
    assert factory.create(message.dump()) == message


def test_a_structured_message_class_is_made_from_a_schema() -> None:
    made = StructuredMessageFactory(json_schema=Number.model_json_schema(), content_model_name="Number")

    message = made.StructuredMessage(content=made.ContentModel(x=1), source="a")

    assert message.to_text() == '{"x":1}'
    assert made.StructuredMessage.__name__ == "StructuredMessage[Number]"
    with pytest.raises(ValueError, match="must be given"):
        StructuredMessageFactory()


@pytest.mark.parametrize(("data", "complaint"), [({}, "'type' is required"), ({"type": "zz"}, "Unknown message type")])
def test_a_dump_without_a_known_type_is_refused(data, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        MessageFactory().create(data)


@pytest.mark.parametrize(("cls", "complaint"), [(TextMessage, "already registered"), (Number, "must be a subclass")])
def test_only_new_message_classes_can_be_registered(cls, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        MessageFactory().register(cls)


def test_a_multimodal_message_as_text() -> None:
    message = MultiModalMessage(content=["t", PIXEL], source="a")

    assert message.to_text() == "t\n<image>"
    assert message.to_model_text() == "t [image]"
    assert message.to_model_text(image_placeholder=None).endswith(PIXEL.to_base64())
    assert message.to_model_message().content == ["t", PIXEL]


def test_images_are_removed_for_models_without_eyes() -> None:
    (blind,) = remove_images([UserMessage(content=["t", PIXEL], source="a")])

    assert blind.content == "t\n<image>"
    assert content_to_str([FunctionCall("1", "{}", "f")]) == "FunctionCall(id='1', arguments='{}', name='f')"
    assert content_to_str(Number(x=1)) == '{"x":1}'


def test_ids_and_times_come_from_the_turn(turns) -> None:
    minted = []
    for _ in range(2):
        with turns.attempt():
            message = TextMessage(content="t", source="a")
            minted.append((message.id, message.created_at))

    assert minted[0] == minted[1]
    assert TextMessage(content="t", source="a").id != TextMessage(content="t", source="a").id
