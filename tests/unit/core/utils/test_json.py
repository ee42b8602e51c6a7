from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
        {"type": "object", "properties": {"a": 7}},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {"_a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "("}}},
        {"$ref": "#/$defs/Missing"},
        {
            "type": "object",
            "properties": {"n": {"$ref": "#/$defs/N"}},
            "$defs": {"N": {"type": "array", "items": {"$ref": "#/$defs/N"}}},
        },
        {
            "type": "object",
            "properties": {"n": {"allOf": [{"$ref": "#/$defs/N"}]}},
            "$defs": {"N": {"allOf": [{"$ref": "#/$defs/N"}]}},
        },
    ],
)
def test_what_cannot_be_translated_is_refused(schema) -> None:
    with pytest.raises(ComponentError):
        schema_to_pydantic_model(schema)


def test_a_schema_nested_without_end_is_refused() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(5_000):
        schema = {"type": "array", "items": schema}

    with pytest.raises(ComponentError, match="nested"):
        schema_to_pydantic_model({"type": "object", "properties": {"a": schema}})


class Tree(BaseModel):
    name: str
    children: list[Tree] = []
    owner: Person | None = None


class Person(BaseModel):
    trees: list[Tree] = []


def test_definitions_may_contain_themselves_and_each_other() -> None:
    made = schema_to_pydantic_model(Tree.model_json_schema(), "Tree")
    value = {"name": "a", "children": [{"name": "b"}], "owner": {"trees": [{"name": "c"}]}}

    assert made.model_validate(value).model_dump() == Tree.model_validate(value).model_dump()
    with pytest.raises(ValidationError):
        made.model_validate({"name": "a", "owner": {"trees": [{}]}})


def test_an_object_without_properties_is_an_empty_class() -> None:
    assert schema_to_pydantic_model({"type": "object"}, "Empty").model_fields == {}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "$ref", "$defs", "anyOf", "allOf", "enum", "const", "required",
                 "format", "minimum", "pattern", "default", "a", "additionalProperties", "discriminator"]
            ),
            inner | st.sampled_from(["object", "array", "string", "integer", "#/$defs/a", "date", "int32"]),
            max_size=5,
        ),
        max_leaves=20,
    )
)  # fmt: skip
def test_any_json_is_made_a_class_or_refused(schema: Any) -> None:
    try:
        made = schema_to_pydantic_model(schema if isinstance(schema, dict) else {"properties": schema})
    except ComponentError:
        return

    assert issubclass(made, BaseModel)


def test_json_is_found_in_fences() -> None:
    assert extract_json_from_str('x ```json\n{"a": 1}\n``` y ```\n{"b": 2}\n```') == [{"a": 1}, {"b": 2}]
    assert extract_json_from_str('{"a": 1}') == [{"a": 1}]


@pytest.mark.parametrize("text", ["nope", "```python\n{}\n```"])
def test_text_without_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expect"):
        extract_json_from_str(text)


def test_canonical_json_tells_texts_with_half_a_character_apart() -> None:
    assert len({canonical_json(text) for text in ("\ud83d", "\ude00", "?", "\U0001f600")}) == 4


def test_canonical_json_does_not_depend_on_order_or_identity() -> None:
    def make(order: int) -> Any:
        return {"b": {3, 1}, "a": object(), "c": Part, "d": b"x", "e": make} if order else {}

    first = {"b": {1, 3}, "a": object(), "c": Part, "d": bytearray(b"x"), "e": make}

    assert canonical_json(first) == canonical_json(make(1))
