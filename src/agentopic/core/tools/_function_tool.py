"""`FunctionTool`: an ordinary Python function as a tool."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self

from pydantic import BaseModel

from agentopic.core._cancellation_token import CancellationToken
from agentopic.core._component_config import Component
from agentopic.core._component_policy import policy_in_force
from agentopic.core._component_provider import native_module
from agentopic.core._turn import OnUnknown
from agentopic.core.code_executor._function_with_requirements import function_definition, source_of
from agentopic.core.code_executor._imports import Alias, Import, ImportFromModule, import_statement
from agentopic.core.tools._arguments_model import arguments_model
from agentopic.core.tools._base_tool import BaseTool
from agentopic.core.tools._call_limit import RESULT_CHARACTERS, TIMEOUT_SECONDS
from agentopic.core.tools._idempotency import idempotency_key_or_new
from agentopic.core.tools._recording import ToolEffect
from agentopic.core.tools._tool_thread import call_in_thread
from agentopic.errors import ComponentError, ComponentSourceError

_TOKEN = "cancellation_token"  # noqa: S105 - a parameter's name
_KEY = "idempotency_key"
_LOAD_FAILURES = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError,
)  # fmt: skip


class FunctionToolConfig(BaseModel):
    """Config of FunctionTool: the function's source, which loading executes where that is allowed."""

    source_code: str
    name: str
    description: str
    global_imports: Sequence[Import]
    has_cancellation_support: bool
    effect: ToolEffect | None = None
    """Our addition; absent when the tool is unrepeatable."""
    on_unknown: OnUnknown | None = None
    """Our addition; absent when the service decides."""


class FunctionTool(BaseTool[BaseModel, BaseModel], Component[FunctionToolConfig]):
    """Makes a tool of a function with annotated parameters.

    A parameter `cancellation_token` is given the caller's token, a parameter `idempotency_key` the key of the call
    (the same on every attempt of a durable turn; fresh outside of one); neither is shown to the model. A function
    that is not async runs in a thread.
    """

    component_provider_override = "autogen_core.tools.FunctionTool"
    component_config_schema = FunctionToolConfig

    def __init__(
        self,
        func: Callable[..., Any],
        description: str,
        name: str | None = None,
        global_imports: Sequence[Import] = [],
        strict: bool = False,
        *,
        effect: ToolEffect = "unrepeatable",
        on_unknown: OnUnknown | None = None,
        timeout_seconds: float | None = TIMEOUT_SECONDS,
        max_result_characters: int | None = RESULT_CHARACTERS,
    ) -> None:
        self._func = func
        self._source_code: str | None = None
        self._global_imports = global_imports
        self.effect = effect
        self.on_unknown = on_unknown
        self.timeout_seconds = timeout_seconds
        self.max_result_characters = max_result_characters
        self._injected = {_TOKEN, _KEY} & set(inspect.signature(func).parameters)
        tool_name = name or _name_of(func)
        args_type, return_type = arguments_model(f"{tool_name}args", func, self._injected)
        super().__init__(args_type, return_type, tool_name, description, strict)

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Call the function with the validated arguments."""
        kwargs: dict[str, Any] = {name: getattr(args, name) for name in type(args).model_fields}
        if _TOKEN in self._injected:
            kwargs[_TOKEN] = cancellation_token
        if _KEY in self._injected:
            kwargs[_KEY] = idempotency_key_or_new()
        call = functools.partial(self._func, **kwargs)
        if _is_async(self._func):
            return await call()
        future = call_in_thread(call)
        cancellation_token.link_future(future)
        return await future

    def _to_config(self) -> FunctionToolConfig:
        return FunctionToolConfig(
            source_code=self._source(),
            name=self.name,
            description=self.description,
            global_imports=self._global_imports,
            has_cancellation_support=_TOKEN in self._injected,
            effect=None if self.effect == "unrepeatable" else self.effect,
            on_unknown=self.on_unknown,
        )

    @classmethod
    def _from_config(cls, config: FunctionToolConfig) -> Self:
        func = _load(config)
        effect = config.effect or "unrepeatable"
        try:
            tool = cls(
                func,
                config.description,
                config.name,
                config.global_imports,
                effect=effect,
                on_unknown=config.on_unknown,
            )
        except ValueError as exc:
            raise ComponentError(f"the function of tool {config.name!r} cannot be a tool: {exc}") from exc
        tool._source_code = config.source_code
        return tool

    def _source(self) -> str:
        if self._source_code is not None:
            return self._source_code
        try:
            return source_of(self._func)
        except (OSError, TypeError) as exc:
            raise ComponentError(f"the source of tool {self.name!r} cannot be had: {exc}") from exc


def _load(config: FunctionToolConfig) -> Callable[..., Any]:
    if not policy_in_force().allow_source_code:
        raise ComponentSourceError(
            f"tool {config.name!r} carries source code, and loading would run it: if you trust whoever wrote this "
            "JSON, pass allow_source_code=True to load_component or set AGENTOPIC_ALLOW_COMPONENT_SOURCE=true"
        )
    imports = "\n".join(import_statement(_native(imported)) for imported in config.global_imports)
    module: dict[str, Any] = {}
    try:
        function_name = function_definition(config.source_code).name
        code = compile(f"{imports}\n{config.source_code}", f"<{config.name}>", "exec", dont_inherit=True)
        exec(code, module)  # noqa: S102 - allowed by the policy above
    except _LOAD_FAILURES as exc:
        raise ComponentError(f"the function of tool {config.name!r} cannot be loaded: {exc}") from exc
    return module[function_name]


def _native(imported: Import) -> Import:
    if isinstance(imported, ImportFromModule):
        return ImportFromModule(native_module(imported.module), imported.imports)
    if isinstance(imported, Alias):
        return Alias(native_module(imported.name), imported.alias)
    return imported


def _name_of(func: Callable[..., Any]) -> str:
    target: Any = func
    while isinstance(target, functools.partial):
        target = target.func
    return getattr(target, "__name__", None) or type(target).__name__


def _is_async(func: Callable[..., Any]) -> bool:
    target: Any = func
    while isinstance(target, functools.partial):
        target = target.func
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(getattr(target, "__call__", None))  # noqa: B004 - looked at, not tested for
