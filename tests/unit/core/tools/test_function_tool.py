from __future__ import annotations

import functools
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from agentopic.core import CancellationToken, ComponentPolicy, use_component_policy
from agentopic.core.code_executor import ImportFromModule
from agentopic.core.tools import FunctionTool
from agentopic.errors import ComponentError

TOKEN = CancellationToken()


class Place(BaseModel):
    """Somewhere."""

    name: str


def search(
    text: str,
    where: Annotated[Place, "where to look"],
    limit: Annotated[int, Field(description="how many")] = 3,
    order: Literal["asc", "desc"] = "asc",
) -> list[str]:
    return [f"{text}@{where.name}/{limit}/{order}"]


def test_the_schema_has_descriptions_defaults_and_no_references() -> None:
    schema: Any = FunctionTool(search, description="Search.").schema

    properties = schema["parameters"]["properties"]
    assert (schema["name"], schema["description"], schema["strict"]) == ("search", "Search.", False)
    assert schema["parameters"]["required"] == ["text", "where"]
    assert properties["text"]["description"] == "text"
    assert properties["where"]["description"] == "where to look"
    assert properties["where"]["properties"]["name"]["type"] == "string"
    assert (properties["limit"]["description"], properties["limit"]["default"]) == ("how many", 3)
    assert properties["order"]["enum"] == ["asc", "desc"]


async def test_arguments_are_validated_and_given_as_declared() -> None:
    tool = FunctionTool(search, description="d")

    found = await tool.run_json({"text": "x", "where": {"name": "home"}}, TOKEN)

    assert found == ["x@home/3/asc"]
    with pytest.raises(ValidationError):
        await tool.run_json({"text": "x"}, TOKEN)


async def test_a_partial_function_is_a_tool() -> None:
    tool = FunctionTool(functools.partial(search, limit=9), description="d", name="few")

    assert await tool.run_json({"text": "x", "where": {"name": "y"}}, TOKEN) == ["x@y/9/asc"]


async def test_the_cancellation_token_is_handed_over_and_not_shown() -> None:
    def seen(cancellation_token: CancellationToken) -> bool:
        return cancellation_token is TOKEN

    tool = FunctionTool(seen, description="d")

    assert await tool.run_json({}, TOKEN) is True
    assert tool.schema.get("parameters", {}).get("properties") == {}


def test_strict_refuses_optional_arguments() -> None:
    with pytest.raises(ValueError, match="optional arguments: limit, order"):
        _ = FunctionTool(search, description="d", strict=True).schema


def test_a_parameter_without_annotation_is_named() -> None:
    def bare(a, b: int) -> None: ...

    with pytest.raises(ValueError, match="'a'"):
        FunctionTool(bare, description="d")


def test_arguments_that_contain_themselves_are_refused() -> None:
    tool = FunctionTool(nested, description="d")

    with pytest.raises(ValueError, match="Node"):
        _ = tool.schema


class Node(BaseModel):
    children: list[Node]


def nested(node: Node) -> None: ...


def double(number: int) -> int:
    return number * 2


async def test_a_tool_is_built_again_from_its_source() -> None:
    dumped = FunctionTool(double, description="d", effect="pure").dump_component()

    loaded = FunctionTool.load_component(dumped.model_dump(), allow_source_code=True)

    assert dumped.provider == "autogen_core.tools.FunctionTool"
    assert await loaded.run_json({"number": 4}, TOKEN) == 8
    assert loaded.effect == "pure"


async def test_imports_of_autogen_in_a_dumped_tool_mean_ours() -> None:
    dumped = FunctionTool(double, description="d").dump_component()
    dumped.config["source_code"] = "def f(cancellation_token: CancellationToken) -> str:\n    return 'ran'\n"
    dumped.config["global_imports"] = [ImportFromModule("autogen_core", ("CancellationToken",))]

    loaded = FunctionTool.load_component(dumped, allow_source_code=True)

    assert await loaded.run_json({}, TOKEN) == "ran"


@pytest.mark.parametrize("source", ["x = 1", "def f(:", "def f(a: Missing): ...", "def f(a): ..."])
def test_source_that_is_no_tool_is_refused(source: str) -> None:
    dumped = FunctionTool(double, description="d").dump_component()
    dumped.config["source_code"] = source

    with pytest.raises(ComponentError):
        FunctionTool.load_component(dumped, allow_source_code=True)


def test_source_is_not_run_where_the_policy_forbids_it() -> None:
    dumped = FunctionTool(double, description="d").dump_component()

    with use_component_policy(ComponentPolicy(allow_source_code=False)), pytest.raises(ComponentError, match="source"):
        FunctionTool.load_component(dumped)


def test_the_name_of_an_argument_does_not_stand_for_the_description_of_its_class() -> None:
    def find(place: Place) -> str:
        return place.name

    schema: Any = FunctionTool(find, description="Find.").schema

    assert schema["parameters"]["properties"]["place"]["description"] == "Somewhere."
