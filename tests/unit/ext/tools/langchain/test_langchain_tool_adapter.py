"""Tools of LangChain's shape run as tools of ours, without LangChain."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from agentopic.core import CancellationToken
from agentopic.ext.tools.langchain import LangChainToolAdapter


class Args(BaseModel):
    a: int
    b: int = 2


class StructuredTool:
    """As `StructuredTool.from_function` makes it."""

    name, description, args_schema = "add", "adds", Args

    def __init__(self, func=None, coroutine=None) -> None:
        self.func, self.coroutine = func, coroutine


class ClassTool:
    """As a subclass of LangChain's BaseTool."""

    name, description, args_schema = "greet", "greets", None

    def _run(self, who: str, run_manager: object = None) -> str:
        return f"hi {who}"


async def test_a_function_tool_runs() -> None:
    tool = LangChainToolAdapter(StructuredTool(func=lambda a, b: a + b))

    assert await tool.run_json({"a": 1}, CancellationToken()) == 3
    assert (tool.name, tool.description, list(tool.args_type().model_fields)) == ("add", "adds", ["a", "b"])
    with pytest.raises(ValidationError):
        await tool.run_json({}, CancellationToken())


async def test_a_coroutine_is_preferred() -> None:
    async def add(a: int, b: int) -> int:
        return a * 100 + b

    tool = LangChainToolAdapter(StructuredTool(func=lambda a, b: a + b, coroutine=add))

    assert await tool.run_json({"a": 1}, CancellationToken()) == 102


async def test_arguments_are_read_from_the_signature() -> None:
    tool = LangChainToolAdapter(ClassTool())

    assert await tool.run_json({"who": "Ann"}, CancellationToken()) == "hi Ann"
    assert list(tool.args_type().model_fields) == ["who"]


def test_what_is_no_tool_is_refused() -> None:
    with pytest.raises(TypeError, match="neither func nor _run"):
        LangChainToolAdapter(StructuredTool())
