"""The public API of one package as JSON: `python autogen_signatures.py <package> [<submodule> …]`."""

import importlib
import inspect
import json
import sys
from typing import Any

PACKAGE = sys.argv[1]


def parameters(function: Any) -> Any:
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return None
    return [
        [p.name, p.kind.name, None if p.default is p.empty else default(p.default)]
        for p in signature.parameters.values()
    ]


def default(value: Any) -> str:
    return value.__name__ if inspect.isclass(value) else repr(value).replace(PACKAGE, "core")


def members(cls: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in dir(cls):
        if name.startswith("_") or hasattr(object, name):
            continue
        attribute = inspect.getattr_static(cls, name)
        if isinstance(attribute, (classmethod, staticmethod)):
            found[name] = [type(attribute).__name__, parameters(attribute.__func__)]
        elif inspect.isfunction(attribute):
            kind = "async method" if inspect.iscoroutinefunction(attribute) else "method"
            found[name] = [kind, parameters(attribute)]
        else:
            found[name] = ["attribute", None]
    return found


def describe(thing: Any) -> Any:
    if inspect.isclass(thing):
        # a dict or enum takes what it always takes
        own = None if issubclass(thing, dict) or type(thing).__name__ == "EnumType" else parameters(thing)
        return {"kind": "class", "parameters": own, "members": members(thing)}
    if inspect.isfunction(thing):
        return {"kind": "function", "parameters": parameters(thing), "members": {}}
    return {"kind": "value", "parameters": None, "members": {}}


def public_names(module: Any) -> list[str]:
    declared = getattr(module, "__all__", None)
    if declared is not None:
        return sorted(declared)
    home = module.__name__ if PACKAGE == "autogen_core" else PACKAGE.partition(".")[0]
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and str(getattr(value, "__module__", "")).startswith(home)
    )


def main() -> None:
    result = {}
    for submodule in ["", *sys.argv[2:]]:
        module = importlib.import_module(f"{PACKAGE}.{submodule}" if submodule else PACKAGE)
        result[submodule] = {name: describe(getattr(module, name)) for name in public_names(module)}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
