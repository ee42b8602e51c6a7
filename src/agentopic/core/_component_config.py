"""Declarative configuration: any component can be written as JSON and built again from it, in AutoGen's format."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeGuard, TypeVar, cast, overload

from pydantic import BaseModel, ValidationError

from agentopic.core._component_places import inside, joined, located, misfit, place_of
from agentopic.core._component_policy import vouching_for
from agentopic.core._component_provider import class_of
from agentopic.errors import (
    AgentopicError,
    ComponentConfigError,
    ComponentDumpError,
    ComponentError,
    ComponentProviderError,
    ComponentVersionError,
)

ComponentType: TypeAlias = str
"""What a component is: model, agent, tool, termination, token_provider, workbench, or any other kind."""

ConfigT = TypeVar("ConfigT", bound=BaseModel)
FromConfigT = TypeVar("FromConfigT", bound=BaseModel, contravariant=True)  # noqa: PLC0105 - AutoGen's name
ToConfigT = TypeVar("ToConfigT", bound=BaseModel, covariant=True)  # noqa: PLC0105 - AutoGen's name
ExpectedType = TypeVar("ExpectedType")


class ComponentModel(BaseModel):
    """One component as JSON: who builds it (`provider`), in which version, from which `config`."""

    provider: str
    """`module.Class`, or a name of WELL_KNOWN_PROVIDERS; autogen_* packages mean ours."""
    component_type: ComponentType | None = None
    version: int | None = None
    component_version: int | None = None
    description: str | None = None
    label: str | None = None
    config: dict[str, Any]


class ComponentFromConfig(Generic[FromConfigT]):
    """Can be built from a validated config."""

    @classmethod
    def _from_config(cls, config: FromConfigT) -> Self:
        raise ComponentError(f"{cls.__name__} cannot be built from a config")

    @classmethod
    def _from_config_past_version(cls, config: dict[str, Any], version: int) -> Self:
        raise ComponentVersionError(f"{cls.__name__} cannot be built from a config of its older version {version}")


class ComponentToConfig(Generic[ToConfigT]):
    """Can be written as a config."""

    component_type: ClassVar[ComponentType]
    component_version: ClassVar[int] = 1
    component_provider_override: ClassVar[str | None] = None
    component_description: ClassVar[str | None] = None
    component_label: ClassVar[str | None] = None

    def _to_config(self) -> ToConfigT:
        raise ComponentDumpError(f"{type(self).__name__} cannot be written as a config")

    def dump_component(self) -> ComponentModel:
        """The component as JSON; ComponentError when its class is local or has no config."""
        cls = type(self)
        if not hasattr(cls, "component_type"):
            raise ComponentError(f"{cls.__name__} does not say its component_type")
        return ComponentModel(
            provider=cls.component_provider_override or _provider_of(cls),
            component_type=cls.component_type,
            version=cls.component_version,
            component_version=cls.component_version,
            description=cls.component_description or _first_paragraph(cls),
            label=cls.component_label or cls.__name__,
            config=self._to_config().model_dump(exclude_none=True),
        )


class ComponentSchemaType(Generic[ConfigT]):
    """Names the class of its config."""

    component_config_schema: type[ConfigT]


class ComponentLoader:
    """Builds components from JSON."""

    @overload
    @classmethod
    def load_component(
        cls,
        model: ComponentModel | dict[str, Any],
        expected: None = None,
        *,
        allow_source_code: bool | None = None,
        allow_commands: bool | None = None,
    ) -> Self: ...

    @overload
    @classmethod
    def load_component(
        cls,
        model: ComponentModel | dict[str, Any],
        expected: type[ExpectedType],
        *,
        allow_source_code: bool | None = None,
        allow_commands: bool | None = None,
    ) -> ExpectedType: ...

    @classmethod
    def load_component(
        cls,
        model: ComponentModel | dict[str, Any],
        expected: type[ExpectedType] | None = None,
        *,
        allow_source_code: bool | None = None,
        allow_commands: bool | None = None,
    ) -> Self | ExpectedType:
        """Build the component that `model` describes.

        Source code in it (FunctionTool) is run only with `allow_source_code=True` or where the setting
        AGENTOPIC_ALLOW_COMPONENT_SOURCE says so; commands in it (MCP servers over stdio) are accepted only with
        `allow_commands=True` or AGENTOPIC_ALLOW_COMPONENT_COMMANDS. Nothing is imported but for providers that are
        allowed.

        Raises:
            ComponentProviderError: its provider is outside the allowed namespaces, unknown or no component.
            ComponentVersionError: it is of a version that the provider cannot read.
            ComponentSourceError: it carries source code, which may not be run here.
            ComponentCommandError: it names a command, which may not be started here.
            ComponentConfigError: it is malformed, or its config does not fit the provider.
            ComponentError: the result is not of the expected type. `path` says where, for all of these.
        """
        wanted: type = cls if expected is None else expected
        path = place_of(model)
        parsed = _parsed(model, path)
        with vouching_for(cls.__module__, allow_source_code=allow_source_code, allow_commands=allow_commands):
            instance = _build(_component_class(parsed.provider, joined(path, "provider")), parsed, path)
        if not isinstance(instance, wanted):
            found = f"{parsed.provider!r} is not a {wanted.__name__}"
            raise located(ComponentError, joined(path, "provider"), found)
        return cast("Self | ExpectedType", instance)


class ComponentBase(ComponentToConfig[ConfigT], ComponentLoader, Generic[ConfigT]):
    """What every kind of component (model client, tool, agent…) is."""


class Component(ComponentFromConfig[ConfigT], ComponentSchemaType[ConfigT], Generic[ConfigT]):
    """What a concrete component class adds to its kind: a config schema and the way back from it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not is_component_class(cls):
            warnings.warn(
                f"{cls.__name__} is no component yet: it needs a kind (a subclass of ComponentBase), "
                "component_config_schema and component_type",
                stacklevel=2,
            )


class _ConcreteComponent(
    ComponentFromConfig[ConfigT], ComponentSchemaType[ConfigT], ComponentToConfig[ConfigT], ComponentLoader
): ...


def is_component_class(cls: type) -> TypeGuard[type[_ConcreteComponent[BaseModel]]]:
    """Whether `cls` can be written as JSON and built again from it."""
    kinds = (ComponentFromConfig, ComponentSchemaType, ComponentToConfig, ComponentLoader)
    return all(issubclass(cls, kind) for kind in kinds) and all(
        hasattr(cls, name) for name in ("component_config_schema", "component_type")
    )


def is_component_instance(cls: Any) -> TypeGuard[_ConcreteComponent[BaseModel]]:
    """Whether this object can be written as JSON and built again from it."""
    return is_component_class(cast("type[object]", type(cls)))


def _parsed(model: object, path: str) -> ComponentModel:
    if isinstance(model, ComponentModel):
        return model
    try:
        return ComponentModel.model_validate(model)
    except ValidationError as exc:
        raise misfit(path, exc) from exc


def _component_class(provider: str, path: str) -> type[_ConcreteComponent[BaseModel]]:
    found = class_of(provider, path)
    if not is_component_class(found):
        raise located(ComponentProviderError, path, f"provider {provider!r} is not a component class")
    return found


def _build(component_class: type[_ConcreteComponent[BaseModel]], model: ComponentModel, path: str) -> object:
    current = component_class.component_version
    version = model.component_version or current
    if version > current:
        text = f"{model.provider} has version {version}, newer than the known {current}"
        raise located(ComponentVersionError, joined(path, "component_version"), text)
    if version < current:
        with inside(path, model.config), _blamed(joined(path, "config")):
            return component_class._from_config_past_version(model.config, version)  # pyright: ignore[reportPrivateUsage] - the component protocol
    schema: type[BaseModel] = component_class.component_config_schema  # pyright: ignore[reportGeneralTypeIssues] - set on the class
    try:
        config = schema.model_validate(model.config)
    except ValidationError as exc:
        raise misfit(joined(path, "config"), exc) from exc
    with inside(path, config), _blamed(joined(path, "config")):
        return component_class._from_config(config)  # pyright: ignore[reportPrivateUsage] - the component protocol


@contextmanager
def _blamed(path: str) -> Generator[None]:
    """Say of whatever building a component raises where in the JSON it comes from."""
    try:
        yield
    except ComponentError as exc:
        if exc.path:
            raise
        raise located(type(exc), path, str(exc)) from exc
    except ValidationError as exc:
        raise misfit(path, exc) from exc
    except AgentopicError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, NotImplementedError, OverflowError) as exc:
        raise located(ComponentConfigError, path, str(exc) or type(exc).__name__) from exc


def _provider_of(cls: type) -> str:
    if "<locals>" in cls.__qualname__:
        raise ComponentError(f"{cls.__qualname__} is local to a function and cannot be found again by name")
    return f"{cls.__module__}.{cls.__qualname__}"


def _first_paragraph(cls: type) -> str | None:
    return inspect.cleandoc(cls.__doc__).split("\n\n")[0] if cls.__doc__ else None
