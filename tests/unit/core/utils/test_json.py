from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from agentopic.core.utils import extract_json_from_str, schema_to_pydantic_model
from agentopic.core.utils._canonical_json import canonical_json
from agentopic.errors import ComponentError


class Part(BaseModel):
    z: float | None = None


class Whole(BaseModel):
    a: int = Field(ge=2)
    b: list[str] = []
    c: Part
    d: str | None = None
    e: Literal["x", "y"] = "x"
    f: dict[str, int] = {}
    g: dt.date | None = None


def test_a_class_made_from_a_schema_accepts_what_the_first_did() -> None:
    made = schema_to_pydantic_model(Whole.model_json_schema(), "Whole")
    value: dict[str, Any] = {"a": 3, "b": ["q"], "c": {"z": 1.5}, "e": "y", "f": {"k": 1}, "g": "2026-01-02"}

    assert made.model_validate(value).model_dump() == Whole.model_validate(value).model_dump()
    assert made.__name__ == "Whole"


@pytest.mark.parametrize(
    "value", [{"a": 1, "c": {}}, {"c": {}}, {"a": 2, "c": {"z": "x"}}, {"a": 2, "c": {}, "e": "q"}]
)
def test_a_class_made_from_a_schema_refuses_what_the_first_did(value) -> None:
    made = schema_to_pydantic_model(Whole.model_json_schema())

    with pytest.raises(ValidationError):
        made.model_validate(value)


def test_all_of_is_one_class() -> None:
    made = schema_to_pydantic_model(
        {
            "type": "object",
            "allOf": [{"$ref": "#/$defs/P"}],
            "properties": {"q": {"type": ["string", "null"]}},
            "required": ["q"],
            "$defs": {"P": {"type": "object", "properties": {"p": {"type": "integer"}}, "required": ["p"]}},
        }
    )

    assert made.model_validate({"p": 1, "q": None}).model_dump() == {"p": 1, "q": None}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/Missing"}}},
        {"type": "object", "properties": {"a": {"type": "wrong"}}},
        {
            "type": "object",
            "properties": {"n": {"$ref": "#/$defs/N"}},
            "$defs": {"N": {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}}},
        },
    ],
)
def test_what_cannot_be_translated_is_refused(schema) -> None:
    with pytest.raises(ComponentError):
        schema_to_pydantic_model(schema)


def test_json_is_found_in_fences() -> None:
    assert extract_json_from_str('x ```json\n{"a": 1}\n``` y ```\n{"b": 2}\n```') == [{"a": 1}, {"b": 2}]
    assert extract_json_from_str('{"a": 1}') == [{"a": 1}]


@pytest.mark.parametrize("text", ["nope", "```python\n{}\n```"])
def test_text_without_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expect"):
        extract_json_from_str(text)


def test_canonical_json_does_not_depend_on_order_or_identity() -> None:
    def make(order: int) -> Any:
        return {"b": {3, 1}, "a": object(), "c": Part, "d": b"x", "e": make} if order else {}

    first = {"b": {1, 3}, "a": object(), "c": Part, "d": bytearray(b"x"), "e": make}

    assert canonical_json(first) == canonical_json(make(1))
