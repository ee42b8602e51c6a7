"""`LangChainToolAdapter`: a tool of LangChain's as one of ours; LangChain itself is never imported."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable
from typing import Any, Protocol, cast

from pydantic import BaseModel

from agentopic.core import CancellationToken
from agentopic.core.tools import BaseTool
from agentopic.core.tools._arguments_model import arguments_model

_INJECTED = ("self", "run_manager", "callbacks", "config")
"""Parameters LangChain fills itself."""


class LangChainTool(Protocol):
    """What is used of `langchain_core.tools.BaseTool`."""

    name: str
    description: str
    args_schema: Any


class LangChainToolAdapter(BaseTool[BaseModel, Any]):
    """Runs a LangChain tool: its coroutine where it has one, else its function in a thread.

    The arguments are those of the tool's `args_schema`, else of its function's signature.

    Raises:
        TypeError: the object has neither `_run` nor `func`.
        ValueError: the arguments cannot be told from a signature without annotations.
    """

    def __init__(self, langchain_tool: LangChainTool) -> None:
        self._langchain_tool = langchain_tool
        function = _function_of(langchain_tool)
        schema = langchain_tool.args_schema
        if not (inspect.isclass(schema) and issubclass(schema, BaseModel)):
            schema, _ = arguments_model(f"{langchain_tool.name}Args", function, _INJECTED)
        returned = inspect.signature(function).return_annotation
        self._coroutine: Callable[..., Any] | None = getattr(langchain_tool, "coroutine", None)
        self._function = function
        return_type = returned if inspect.isclass(returned) and returned is not inspect.Signature.empty else object
        super().__init__(
            schema,
            cast("type[Any]", return_type),
            langchain_tool.name,
            langchain_tool.description,
        )

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Run the tool with validated arguments."""
        given = {name: getattr(args, name) for name in type(args).model_fields}
        if self._coroutine is not None:
            return await self._coroutine(**given)
        if inspect.iscoroutinefunction(self._function):
            return await self._function(**given)
        call = functools.partial(contextvars.copy_context().run, self._function, **given)
        future = asyncio.get_running_loop().run_in_executor(None, call)
        cancellation_token.link_future(future)
        return await future


def _function_of(tool: Any) -> Callable[..., Any]:
    for name in ("func", "_run"):
        function = getattr(tool, name, None)
        if callable(function):
            return function
    raise TypeError(f"{type(tool).__name__} is no LangChain tool: it has neither func nor _run")
