"""Wire names of payload classes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from pydantic import BaseModel

from agentopic.core import payload, payload_type_name
from agentopic.errors import InvalidNameError, RegistrationError


@payload("orders.OrderPlaced.v1")
class OrderPlaced(BaseModel):
    order: int


class RushOrderPlaced(OrderPlaced):
    pass


@payload("orders.Line.v1")
@dataclass(slots=True)
class Line:
    sku: str


def test_declared_name_is_the_wire_name_with_and_without_namespace() -> None:
    assert payload_type_name(OrderPlaced) == "orders.OrderPlaced.v1"
    assert payload_type_name(Line, "shop") == "orders.Line.v1"


def test_declared_name_is_not_inherited() -> None:
    assert payload_type_name(RushOrderPlaced) == "RushOrderPlaced"
    assert payload_type_name(RushOrderPlaced, "shop") == "shop.RushOrderPlaced"


def test_protobuf_messages_keep_their_full_name() -> None:
    assert payload_type_name(StringValue, "shop") == "google.protobuf.StringValue"


def test_protobuf_messages_take_no_other_name() -> None:
    with pytest.raises(RegistrationError, match="full protobuf name"):
        payload("x.Y.v1")(StringValue)


def test_builtins_have_no_namespace() -> None:
    assert payload_type_name(type(None), "shop") == "NoneType"


@pytest.mark.parametrize("name", ["", "has space", "line\nbreak", "ünï/☃"])
def test_name_with_other_characters_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError, match="payload type name"):
        payload(name)
