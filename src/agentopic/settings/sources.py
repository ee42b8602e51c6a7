"""Where settings come from: the sources in order of strength, each value with its origin."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from pydantic import AliasChoices
from pydantic_settings import BaseSettings, SettingsError
from pydantic_settings.sources import (
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseEnvSettingsSource,
    SecretsSettingsSource,
)

from agentopic.errors import ConfigError

PREFIX: Final = "AGENTOPIC_"
SECRETS_DIRECTORY: Final = "AGENTOPIC_SECRETS_DIR"
DEFAULT_SECRETS_DIRECTORY: Final = "/run/secrets"

Model = type[BaseSettings]


class Found(NamedTuple):
    """A value as it was found and where."""

    value: Any
    source: str


def gather(model: Model, arguments: Mapping[str, Any]) -> dict[str, Found]:
    """Return each setting that is set anywhere, from its strongest source.

    Raises:
        ConfigError: a file or variable cannot be read, or a file names something that is no setting.
    """
    return dict(_weakest_first(model, arguments))


def aliases(model: Model, name: str) -> tuple[str, ...]:
    """Return the variables of a setting, ours first."""
    alias = model.model_fields[name].validation_alias
    return tuple(str(choice) for choice in alias.choices) if isinstance(alias, AliasChoices) else ()


def misspelt(model: Model) -> tuple[str, ...]:
    """Return the set variables that carry our prefix and are no setting."""
    known = {alias for name in model.model_fields for alias in aliases(model, name)} | {SECRETS_DIRECTORY}
    foreign = (PREFIX + "TEST_", PREFIX + "BED_")
    ours = (name for name in os.environ if name.startswith(PREFIX) and not name.startswith(foreign))
    return tuple(sorted(name for name in ours if name not in known))


def _weakest_first(model: Model, arguments: Mapping[str, Any]) -> Iterator[tuple[str, Found]]:
    yield from _of_file(model, _user_file())
    yield from _of_file(model, Path("pyproject.toml"), ("tool", "agentopic"))
    yield from _of_file(model, Path("agentopic.toml"))
    yield from _of_variables(model, ".env", lambda: DotEnvSettingsSource(model, env_file=".env"))
    directory = Path(os.environ.get(SECRETS_DIRECTORY, DEFAULT_SECRETS_DIRECTORY))
    if directory.is_dir():
        yield from _of_variables(model, str(directory), lambda: _secret_files(model, directory))
    yield from _of_variables(model, "environment", lambda: EnvSettingsSource(model))
    for name, value in arguments.items():
        if value is not None:
            yield name, Found(value, "argument")


def _secret_files(model: Model, directory: Path) -> SecretsSettingsSource:
    source = SecretsSettingsSource(model, secrets_dir=directory)
    source()  # the library looks for the directory only when the whole source is read
    return source


def _of_variables(
    model: Model, label: str, make: Callable[[], PydanticBaseEnvSettingsSource]
) -> Iterator[tuple[str, Found]]:
    try:
        source = make()
        found = [(name, *source.get_field_value(field, name)) for name, field in model.model_fields.items()]
    except (SettingsError, OSError, ValueError) as exc:
        raise ConfigError(f"the settings cannot be read from {label}: {exc}") from exc
    for name, value, key, _ in found:
        if value is not None:
            yield name, Found(value, f"{label} {key}")


def _of_file(model: Model, path: Path, table: tuple[str, ...] = ()) -> Iterator[tuple[str, Found]]:
    if not path.is_file():
        return
    try:
        values: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read as TOML: {exc}") from exc
    for part in table:
        inner: object = values.get(part)
        values = cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else {}
    for name, value in values.items():
        if name not in model.model_fields:
            raise ConfigError(f"{path} sets {name!r}, which is no setting{_hint(model, name)}")
        yield name, Found(value, str(path))


def _hint(model: Model, name: str) -> str:
    close = get_close_matches(name.lower(), model.model_fields, n=1)
    return f"; did you mean {close[0]!r}?" if close else "; `agentopic config show` lists them"


def _user_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME")
    home = os.environ.get("HOME")
    root = Path(base) if base else Path(home or "~").expanduser() / ".config"
    return root / "agentopic" / "config.toml"
