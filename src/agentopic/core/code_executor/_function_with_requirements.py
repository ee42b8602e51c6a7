"""Functions that carry the packages and imports they need, so that their source can run elsewhere."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import dedent, indent
from typing import Any, Generic, TypeVar

from typing_extensions import ParamSpec

from agentopic.core.code_executor._imports import Import, import_statement

T = TypeVar("T")
P = ParamSpec("P")


@dataclass
class FunctionWithRequirements(Generic[T, P]):
    """A function of this program with the packages and imports its source needs."""

    func: Callable[P, T]
    python_packages: Sequence[str] = field(default_factory=list[str])
    global_imports: Sequence[Import] = field(default_factory=list[Import])

    @classmethod
    def from_callable(
        cls,
        func: Callable[P, T],
        python_packages: Sequence[str] = [],
        global_imports: Sequence[Import] = [],
    ) -> FunctionWithRequirements[T, P]:
        """Attach requirements to a function."""
        return cls(python_packages=python_packages, func=func, global_imports=global_imports)

    @staticmethod
    def from_str(
        func: str, python_packages: Sequence[str] = [], global_imports: Sequence[Import] = []
    ) -> FunctionWithRequirementsStr:
        """Attach requirements to the source of a function."""
        return FunctionWithRequirementsStr(func, python_packages, global_imports)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.func(*args, **kwargs)


class FunctionWithRequirementsStr:
    """The source of one function with the packages and imports it needs; it is compiled, never called, here."""

    def __init__(self, func: str, python_packages: Sequence[str] = [], global_imports: Sequence[Import] = []) -> None:
        definition = function_definition(func)
        self.func = func
        self.python_packages = python_packages
        self.global_imports = global_imports
        self._func_name = definition.name
        self.compiled_func = _define(func, definition.name, global_imports)

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("a function given as source runs in an executor and cannot be called here")


def with_requirements(
    python_packages: Sequence[str] = [], global_imports: Sequence[Import] = []
) -> Callable[[Callable[P, T]], FunctionWithRequirements[T, P]]:
    """Decorate a function with the packages and imports its source needs."""

    def wrapper(func: Callable[P, T]) -> FunctionWithRequirements[T, P]:
        wrapped = FunctionWithRequirements(python_packages=python_packages, func=func, global_imports=global_imports)
        functools.update_wrapper(wrapped, func)
        return wrapped

    return wrapper


def source_of(func: Callable[..., Any] | FunctionWithRequirements[Any, Any] | FunctionWithRequirementsStr) -> str:
    """The source of a function, without indentation and without the decorator of this module."""
    if isinstance(func, FunctionWithRequirementsStr):
        return dedent(func.func)
    wrapped = func.func if isinstance(func, FunctionWithRequirements) else func
    source = dedent(inspect.getsource(wrapped))
    if not source.startswith("@"):
        return source
    lines = source.splitlines(keepends=True)
    return "".join(lines[function_definition(source).lineno - 1 :])


def stub_of(func: Callable[..., Any] | FunctionWithRequirements[Any, Any] | FunctionWithRequirementsStr) -> str:
    """The signature and docstring of a function, as a prompt shows it."""
    definition = function_definition(source_of(func))
    returns = f" -> {ast.unparse(definition.returns)}" if definition.returns else ""
    stub = f"def {definition.name}({ast.unparse(definition.args)}){returns}:\n"
    docstring = ast.get_docstring(definition)
    if docstring:
        stub += indent(f'"""{docstring}"""', "    ") + "\n"
    return stub + indent("...", "    ")


def functions_module(
    functions: Sequence[FunctionWithRequirements[Any, Any] | Callable[..., Any] | FunctionWithRequirementsStr],
) -> str:
    """The source of a module with these functions and the imports they need, each import once."""
    statements = {
        import_statement(imported): None
        for function in functions
        if isinstance(function, FunctionWithRequirements | FunctionWithRequirementsStr)
        for imported in function.global_imports
    }
    return "\n".join([*statements, "", *(f"\n{source_of(function)}" for function in functions)])


def function_definition(source: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """The one function that a piece of source defines; ValueError when it defines none or several."""
    try:
        tree = ast.parse(dedent(source))
    except SyntaxError as exc:
        raise ValueError(f"not the source of a function: {exc}") from exc
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if len(found) != 1:
        raise ValueError(f"the source must define exactly one function, it defines {len(found)}")
    return found[0]


def _define(source: str, name: str, global_imports: Sequence[Import]) -> Callable[..., Any]:
    module: dict[str, Any] = {}
    statements = "\n".join(map(import_statement, global_imports))
    try:
        code = compile(f"{statements}\n{dedent(source)}", f"<{name}>", "exec", dont_inherit=True)
        exec(code, module)  # noqa: S102 - defining the given function is the purpose
    except (ImportError, NameError) as exc:
        raise ValueError(f"the function {name!r} cannot be defined: {exc}") from exc
    return module[name]
