"""`module:attr`, or a file of component JSON: from the text of a target to the services it names."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from agentopic.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentopic.engine.service import AgentService


def load_services(targets: Iterable[str], *, only: Sequence[str] = (), name: str | None = None) -> list[AgentService]:
    """Import and return the services the targets name, the working directory searched first.

    A target that names a team, by the function that makes it or by its component JSON, stands for the services of
    its members, or for those of `only`; `name` is what the team is called.

    Raises:
        ConfigError: a target is malformed, cannot be imported or is no service, or two have one name; members are
            named of what is no team.
        ComponentError: the component JSON of a team cannot be loaded.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    services = [service for target in targets for service in _services(target, only, name)]
    names = [service.name for service in services]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ConfigError(f"two services are named {doubled[0]!r}: give each agent type once")
    return services


def _services(target: str, only: Sequence[str], name: str | None) -> list[AgentService]:
    from agentopic.cli.team_target import team_of, team_of_file
    from agentopic.engine.service import AgentService

    found = None if target.endswith(".json") else _found(target)
    team = team_of_file(Path(target), name) if found is None else team_of(found, name)
    if team is not None:
        return team.services(only)
    if only or name is not None:
        raise ConfigError(f"{target!r} is no team: --only and --name are for teams")
    if isinstance(found, AgentService):
        return [found]
    if isinstance(found, type):
        raise ConfigError(
            f"{target!r} is the class {found.__name__}, not a service: "
            f'write app = AgentService("name", {found.__name__}) and name that'
        )
    raise ConfigError(f"{target!r} is a {type(found).__name__}, not an AgentService: name the service object")


def _found(target: str) -> Any:
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise ConfigError(f"{target!r} names no service: write module:attr, for example shop.agents:app")
    found: Any = _imported(module_name, target)
    for part in path.split("."):
        if not hasattr(found, part):
            raise ConfigError(f"{target!r} names no service: {module_name} has no attribute {path!r}{_known(found)}")
        found = getattr(found, part)
    return found


def _imported(module_name: str, target: str) -> ModuleType:
    try:
        return import_module(module_name)
    except ModuleNotFoundError as exc:
        missing = exc.name or ""
        if module_name == missing or module_name.startswith(missing + "."):
            raise ConfigError(
                f"{target!r} names no service: there is no module {missing!r} in {Path.cwd()} or among the "
                "installed packages"
            ) from exc
        raise ConfigError(
            f"{module_name} imports {missing!r}, which is not installed: install the package that has it"
        ) from exc
    except ImportError as exc:
        raise ConfigError(f"{module_name} cannot be imported: {exc}") from exc
    except SyntaxError as exc:
        raise ConfigError(f"{exc.filename}, line {exc.lineno}: {exc.msg}") from exc


def _known(module: object) -> str:
    from agentopic.engine.service import AgentService

    names = [name for name, value in vars(module).items() if isinstance(value, AgentService)]
    return f"; it has {', '.join(names)}" if names else ""
