"""The public surface of a package, read from its source without importing it: names, kinds, parameters, members."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign
Parameter = tuple[str, str | None]
"""A name, with a star or two before it where it takes the rest, and its default as source."""


@dataclass(slots=True)
class Symbol:
    """One public name of a module."""

    kind: str
    parameters: list[Parameter] | None = None
    members: dict[str, tuple[str, list[Parameter] | None]] = field(
        default_factory=dict[str, tuple[str, list[Parameter] | None]]
    )


class Package:
    """The modules of one installed package or source tree."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name
        self._trees: dict[str, ast.Module] = {}

    def modules(self) -> list[str]:
        """The names of all modules without a leading underscore anywhere."""
        found = [self._module_of(path) for path in sorted(self.root.rglob("*.py"))]
        return sorted({each for each in found if not any(part.startswith("_") for part in each.split("."))})

    def names(self, module: str) -> list[str]:
        """What a module says is public; without `__all__`, what it defines itself."""
        declared = [
            element.value
            for node in self._tree(module).body
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and "__all__" in _targets(node)
            for element in getattr(node.value, "elts", ())
            if isinstance(element, ast.Constant)
        ]
        if declared:
            return sorted(map(str, declared))
        if self._path(module).name == "__init__.py":
            return []
        return sorted(name for name in _definitions(self._tree(module)) if not name.startswith("_"))

    def symbol(self, module: str, name: str) -> Symbol | None:
        """What a name of a module stands for; None when it is not there."""
        found = self._find(module, name)
        if found is None:
            return None
        home, definition = found
        if isinstance(definition, ast.ClassDef):
            return self._class(home, definition)
        if isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
            return Symbol("function", _parameters(definition, bound=False))
        return Symbol("value")

    def _class(self, module: str, definition: ast.ClassDef) -> Symbol:
        symbol = Symbol("class")
        for cls in reversed([each for _, each in self._ancestry(module, definition, set())]):
            for node in cls.body:
                _add(symbol, node)
        return symbol

    def _ancestry(
        self, module: str, definition: ast.ClassDef, seen: set[tuple[str, str]]
    ) -> Iterator[tuple[str, ast.ClassDef]]:
        if (module, definition.name) in seen:
            return
        seen.add((module, definition.name))
        yield module, definition
        for base in definition.bases:
            found = self._find(module, _last(base))
            if found is not None and isinstance(found[1], ast.ClassDef):
                yield from self._ancestry(found[0], found[1], seen)

    def _find(self, module: str, name: str, depth: int = 0) -> tuple[str, Definition] | None:
        if depth > 12 or not self._path(module).is_file():
            return None
        tree = self._tree(module)
        definition = _definitions(tree).get(name)
        if definition is not None:
            return module, definition
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom):
                continue
            for alias in node.names:
                if (alias.asname or alias.name) != name and alias.name != "*":
                    continue
                source = self._source(module, node)
                if source.partition(".")[0] != self.name.partition(".")[0]:
                    continue
                wanted = name if alias.name == "*" else alias.name
                found = self._find(source, wanted, depth + 1)
                if found is not None:
                    return found
        return None

    def _source(self, module: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = module.split(".")
        if self._path(module).name == "__init__.py":
            parts.append("")
        return ".".join(filter(None, (*parts[: len(parts) - node.level], node.module)))

    def _tree(self, module: str) -> ast.Module:
        if module not in self._trees:
            self._trees[module] = ast.parse(self._path(module).read_text(encoding="utf-8"))
        return self._trees[module]

    def _path(self, module: str) -> Path:
        base = self.root.joinpath(*module.split(".")[self.name.count(".") + 1 :])
        if not module.startswith(self.name):  # another package beside this one
            base = self.root.parents[self.name.count(".")].joinpath(*module.split("."))
        return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")

    def _module_of(self, path: Path) -> str:
        relative = path.relative_to(self.root).with_suffix("")
        parts = [part for part in relative.parts if part != "__init__"]
        return ".".join((self.name, *parts))


def _add(symbol: Symbol, node: ast.stmt) -> None:
    """Add what one statement of a class's body says."""
    attributes: list[str] = []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if node.name == "__init__":
            symbol.parameters = _parameters(node, bound=True)
        elif not node.name.startswith("_"):
            symbol.members[node.name] = _member(node)
        inner = [each for each in ast.walk(node) if isinstance(each, ast.Assign | ast.AnnAssign)]
        attributes = [name for each in inner for name in _attributes_of_self(each)]
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        attributes = [name for name in _targets(node) if not name.startswith("_")]
    for name in attributes:
        symbol.members.setdefault(name, ("attribute", None))


def _definitions(tree: ast.Module) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    for node in _statements(tree.body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in _targets(node):
                found.setdefault(target, node)
    return found


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])


def _member(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, list[Parameter] | None]:
    decorators = {_last(each) for each in node.decorator_list}
    if decorators & {"property", "cached_property", "setter"}:
        return "attribute", None
    static = "staticmethod" in decorators
    return "method", _parameters(node, bound=not static)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool) -> list[Parameter]:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + [ast.unparse(each) for each in arguments.defaults]
    found: list[Parameter] = list(zip((each.arg for each in positional), defaults, strict=True))[1 if bound else 0 :]
    if arguments.vararg:
        found.append((f"*{arguments.vararg.arg}", None))
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append((each.arg, None if default is None else ast.unparse(default)))
    if arguments.kwarg:
        found.append((f"**{arguments.kwarg.arg}", None))
    return found


def _attributes_of_self(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
        and not target.attr.startswith("_")
    ]


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _last(node.value)
    if isinstance(node, ast.Call):
        return _last(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
