"""Every component class of a package and its sisters as JSON: `python autogen_component_classes.py <package>`."""

import importlib
import inspect
import json
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from typing import Any

warnings.simplefilter("ignore")


def modules(name: str) -> Iterator[Any]:
    try:
        module = importlib.import_module(name)
    except ImportError:  # an extra is not installed
        return
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not found.name.startswith("_"):
            yield from modules(f"{name}.{found.name}")


def described(cls: Any) -> dict[str, Any]:
    fields = cls.component_config_schema.model_fields
    return {
        "type": cls.component_type,
        "version": cls.component_version,
        "provider": cls.component_provider_override,
        "required": sorted(name for name, field in fields.items() if field.is_required()),
        "fields": sorted(fields),
    }


def main() -> None:
    found: dict[str, Any] = {}
    for package in (sys.argv[1].replace("core", part) for part in ("core", "agentchat", "ext")):
        for module in modules(package):
            for name in getattr(module, "__all__", ()):
                cls = getattr(module, name)
                if inspect.isclass(cls) and hasattr(cls, "component_config_schema") and not inspect.isabstract(cls):
                    path = f"{module.__name__}.{name}".replace("autogen_", "agentopic.")
                    found[path] = described(cls)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
