"""Serializers and the registry."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import BytesValue, StringValue
from pydantic import BaseModel

from agentopic.core import (
    JSON_DATA_CONTENT_TYPE,
    PROTOBUF_DATA_CONTENT_TYPE,
    MessageSerializer,
    UnknownPayload,
    payload,
    try_get_known_serializers_for_type,
)
from agentopic.core._serialization import PydanticJsonMessageSerializer
from agentopic.core._serialization_registry import SerializationRegistry
from agentopic.errors import DuplicatePayloadTypeError, PayloadError


class Order(BaseModel):
    number: int
    lines: list[str] = []


@dataclass
class Inner:
    amount: int


@dataclass
class Outer:
    inner: Inner
    either: int | str = 1
    order: Order | None = None
    more: list[Inner] = field(default_factory=list[Inner])


@dataclass
class Opaque:
    thing: object


@payload("shop.Sale.v1")
@dataclass
class Sale:
    amount: int


@payload("shop.Sale.v1")
@dataclass
class OtherSale:
    amount: int


class Plain:
    pass


def only_serializer(cls: type[Any]) -> MessageSerializer[Any]:
    [serializer] = try_get_known_serializers_for_type(cls)
    return serializer


@pytest.mark.parametrize(
    "message",
    [
        Order(number=1, lines=["é\x00\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]),
        Outer(Inner(1), either="x", order=Order(number=2), more=[Inner(3)]),
        Sale(1),
    ],
)
def test_json_payloads_come_back_as_they_were(message: Any) -> None:
    serializer = only_serializer(type(message))

    data = serializer.serialize(message)

    assert serializer.data_content_type == JSON_DATA_CONTENT_TYPE
    assert isinstance(json.loads(data), dict)
    assert serializer.deserialize(data) == message


def test_protobuf_payloads_travel_in_an_any() -> None:
    serializer = only_serializer(StringValue)

    data = serializer.serialize(StringValue(value="x"))

    assert (serializer.type_name, serializer.data_content_type) == (
        "google.protobuf.StringValue",
        PROTOBUF_DATA_CONTENT_TYPE,
    )
    assert b"type.googleapis.com/google.protobuf.StringValue" in data
    assert serializer.deserialize(data) == StringValue(value="x")


@pytest.mark.parametrize("cls", [int, str, Plain, dict])
def test_other_classes_have_no_serializer(cls: type[Any]) -> None:
    assert try_get_known_serializers_for_type(cls) == []


@pytest.mark.parametrize(
    ("cls", "data", "problem"),
    [
        (Order, b'{"number": "many"}', "number: "),
        (Order, b"{", "Invalid JSON"),
        (Order, b"\xff\xfe", "Order does not fit"),
        (Inner, b"{}", "amount: "),
        (Sale, b"[]", "shop.Sale.v1 does not fit"),
        (StringValue, b"\xff", "not a serialized"),
        (StringValue, only_serializer(BytesValue).serialize(BytesValue(value=b"x")), "another protobuf type"),
    ],
)
def test_bytes_that_do_not_fit_the_class_are_refused(cls: type[Any], data: bytes, problem: str) -> None:
    with pytest.raises(PayloadError, match=problem):
        only_serializer(cls).deserialize(data)


def test_the_refusal_does_not_show_values() -> None:
    with pytest.raises(PayloadError) as refusal:
        only_serializer(Order).deserialize(b'{"number": "secret"}')

    assert "secret" not in str(refusal.value)


def test_a_class_without_json_form_is_refused_when_it_is_written_not_when_it_is_known() -> None:
    serializer = only_serializer(Opaque)

    with pytest.raises(PayloadError, match="Opaque"):
        serializer.serialize(Opaque(Plain()))


def test_registry_writes_and_reads_by_name_and_content_type() -> None:
    registry = SerializationRegistry()
    registry.add_serializer(try_get_known_serializers_for_type(Order))

    name = registry.type_name(Order(number=1))
    data = registry.serialize(Order(number=1), type_name=name, data_content_type=JSON_DATA_CONTENT_TYPE)

    assert name == "Order"
    assert registry.is_registered("Order", JSON_DATA_CONTENT_TYPE)
    assert registry.deserialize(data, type_name=name, data_content_type=JSON_DATA_CONTENT_TYPE) == Order(number=1)


def test_an_unknown_type_is_read_as_unknown_payload_and_passed_on_unchanged() -> None:
    registry = SerializationRegistry()

    unknown = registry.deserialize(b"x", type_name="who", data_content_type="text/plain")

    assert unknown == UnknownPayload("who", "text/plain", b"x")
    assert registry.encode(unknown) == ("who", "text/plain", b"x")


def test_an_unknown_type_is_not_written() -> None:
    with pytest.raises(PayloadError, match="no serializer"):
        SerializationRegistry().serialize(1, type_name="who", data_content_type=JSON_DATA_CONTENT_TYPE)


@pytest.mark.parametrize("answer", [None, True, 1, 1.5, "text", [1, "a"], {"a": [None]}])
def test_json_builtins_are_known_as_answers(answer: Any) -> None:
    registry = SerializationRegistry("shop")

    name, content_type, data = registry.encode(answer)

    assert registry.deserialize(data, type_name=name, data_content_type=content_type) == answer


def test_a_serializer_that_is_added_later_writes_from_then_on() -> None:
    class Shouting(PydanticJsonMessageSerializer[Order]):
        def serialize(self, message: Order) -> bytes:
            return super().serialize(message).upper()

    registry = SerializationRegistry()
    _, _, before = registry.encode(Order(number=1))

    registry.add_serializer(Shouting(Order))

    assert registry.encode(Order(number=1)) == ("Order", JSON_DATA_CONTENT_TYPE, before.upper())


def test_encode_makes_a_class_known() -> None:
    registry = SerializationRegistry("shop")

    name, content_type, data = registry.encode(Inner(1))

    assert (name, content_type) == ("shop.Inner", JSON_DATA_CONTENT_TYPE)
    assert registry.deserialize(data, type_name=name, data_content_type=content_type) == Inner(1)
    assert registry.payload_class("shop.Inner") is Inner


def test_encode_refuses_a_class_without_serializer() -> None:
    with pytest.raises(PayloadError, match="Plain is no pydantic model"):
        SerializationRegistry().encode(Plain())


def test_two_classes_with_one_declared_name_are_refused() -> None:
    registry = SerializationRegistry()
    registry.add_class(Sale)

    with pytest.raises(DuplicatePayloadTypeError, match="OtherSale"):
        registry.add_class(OtherSale)


def bare_twin() -> type[Any]:
    @dataclass
    class Inner:
        other: str

    return Inner


def test_without_namespace_the_last_of_two_bare_names_wins() -> None:
    registry = SerializationRegistry()
    registry.add_class(Inner)

    registry.add_class(bare_twin())

    assert registry.payload_class("Inner") is not Inner


def test_within_a_namespace_two_bare_names_are_refused() -> None:
    registry = SerializationRegistry("shop")
    registry.add_class(Inner)

    with pytest.raises(DuplicatePayloadTypeError, match=r"shop\.Inner"):
        registry.add_class(bare_twin())


def test_a_class_defined_anew_in_its_place_replaces_itself() -> None:
    registry = SerializationRegistry("shop")
    first, second = bare_twin(), bare_twin()
    registry.add_class(first)

    registry.add_class(second)

    assert registry.payload_class("shop.Inner") is second


class ByHand:
    """A serializer as users write them: it names the bare class."""

    data_content_type = "text/plain"
    type_name = "Plain"

    def serialize(self, message: Plain) -> bytes:
        return b"plain"

    def deserialize(self, payload: bytes) -> Plain:
        return Plain()


def test_a_serializer_written_by_hand_is_used_inside_a_namespace_too() -> None:
    registry = SerializationRegistry("shop")
    registry.add_serializer(ByHand())

    assert registry.encode(Plain()) == ("Plain", "text/plain", b"plain")
