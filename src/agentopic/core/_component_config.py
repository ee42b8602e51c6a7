"""Declarative configuration: any component can be written as JSON and built again from it, in AutoGen's format."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeGuard, TypeVar, cast, overload

from pydantic import BaseModel

from agentopic.errors import ComponentError

ComponentType: TypeAlias = str
"""What a component is: model, agent, tool, termination, token_provider, workbench, or any other kind."""

ConfigT = TypeVar("ConfigT", bound=BaseModel)
FromConfigT = TypeVar("FromConfigT", bound=BaseModel, contravariant=True)  # noqa: PLC0105 - AutoGen's name
ToConfigT = TypeVar("ToConfigT", bound=BaseModel, covariant=True)  # noqa: PLC0105 - AutoGen's name
ExpectedType = TypeVar("ExpectedType")

_PACKAGE_OF_AUTOGEN = {
    "autogen_core": "agentopic.core",
    "autogen_agentchat": "agentopic.agentchat",
    "autogen_ext": "agentopic.ext",
}

WELL_KNOWN_PROVIDERS = {
    "openai_chat_completion_client": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "OpenAIChatCompletionClient": "autogen_ext.models.openai.OpenAIChatCompletionClient",
    "azure_openai_chat_completion_client": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "AzureOpenAIChatCompletionClient": "autogen_ext.models.openai.AzureOpenAIChatCompletionClient",
    "OllamaChatCompletionClient": "autogen_ext.models.ollama.OllamaChatCompletionClient",
}
"""Short names that may stand for a provider string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPolicy:
    """What component JSON may do to the process that loads it."""

    namespaces: frozenset[str] = frozenset()
    """Top-level packages, beside agentopic's own, whose classes may be named as a provider."""
    allow_source_code: bool = True
    """Whether components that carry source code (FunctionTool) may be loaded; turn off for JSON of strangers."""


_FIRST_PARTY_ONLY = ComponentPolicy()

component_policy: ContextVar[ComponentPolicy] = ContextVar("agentopic_component_policy", default=_FIRST_PARTY_ONLY)
"""The policy in force; the application sets it once at start."""


@contextmanager
def use_component_policy(policy: ComponentPolicy) -> Generator[None]:
    """Put a policy in force for the enclosed block."""
    token = component_policy.set(policy)
    try:
        yield
    finally:
        component_policy.reset(token)


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
        raise ComponentError(f"{cls.__name__} cannot be built from a config of its older version {version}")


class ComponentToConfig(Generic[ToConfigT]):
    """Can be written as a config."""

    component_type: ClassVar[ComponentType]
    component_version: ClassVar[int] = 1
    component_provider_override: ClassVar[str | None] = None
    component_description: ClassVar[str | None] = None
    component_label: ClassVar[str | None] = None

    def _to_config(self) -> ToConfigT:
        raise ComponentError(f"{type(self).__name__} cannot be written as a config")

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
    def load_component(cls, model: ComponentModel | dict[str, Any], expected: None = None) -> Self: ...

    @overload
    @classmethod
    def load_component(cls, model: ComponentModel | dict[str, Any], expected: type[ExpectedType]) -> ExpectedType: ...

    @classmethod
    def load_component(
        cls, model: ComponentModel | dict[str, Any], expected: type[ExpectedType] | None = None
    ) -> Self | ExpectedType:
        """Build the component that `model` describes.

        Raises:
            ComponentError: its provider is outside the allowed namespaces, unknown or no component, its version
                is newer than the class, or the result is not of the expected type.
            pydantic.ValidationError: its config does not fit the provider's schema.
        """
        parsed = model if isinstance(model, ComponentModel) else ComponentModel(**model)
        component_class = _import_provider(parsed.provider, trusted=_top_level(cls.__module__))
        instance = _build(component_class, parsed)
        if not isinstance(instance, cls if expected is None else expected):
            raise ComponentError(f"{parsed.provider} is not a {(expected or cls).__name__}")
        return instance


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


def native_module(module_path: str) -> str:
    """The module of ours that stands for a module of AutoGen; any other path unchanged."""
    top, _, rest = module_path.partition(".")
    return ".".join(filter(None, (_PACKAGE_OF_AUTOGEN.get(top, top), rest)))


def _build(component_class: type[_ConcreteComponent[BaseModel]], model: ComponentModel) -> object:
    current = component_class.component_version
    version = current if model.version is None else model.version
    if version > current:
        raise ComponentError(f"{model.provider} has version {version}, newer than the known {current}")
    if version < current:
        return component_class._from_config_past_version(model.config, version)  # pyright: ignore[reportPrivateUsage] - the component protocol
    schema: type[BaseModel] = component_class.component_config_schema  # pyright: ignore[reportGeneralTypeIssues] - set on the class
    config = schema.model_validate(model.config)
    return component_class._from_config(config)  # pyright: ignore[reportPrivateUsage] - the component protocol


def _import_provider(provider: str, *, trusted: str) -> type[_ConcreteComponent[BaseModel]]:
    named, _, class_name = WELL_KNOWN_PROVIDERS.get(provider, provider).rpartition(".")
    module_path = native_module(named)
    allowed = {"agentopic", trusted} | component_policy.get().namespaces
    if _top_level(module_path) not in allowed:
        raise ComponentError(
            f"provider {provider!r} is outside the allowed namespaces; to load it, add "
            f"{_top_level(module_path)!r} to the allowed provider namespaces"
        )
    try:
        found = getattr(importlib.import_module(module_path), class_name)
    except (ImportError, AttributeError) as exc:
        raise ComponentError(f"provider {provider!r} cannot be imported: {exc}") from exc
    if not (inspect.isclass(found) and is_component_class(found)):
        raise ComponentError(f"provider {provider!r} is not a component class")
    return found


def _provider_of(cls: type) -> str:
    if "<locals>" in cls.__qualname__:
        raise ComponentError(f"{cls.__qualname__} is local to a function and cannot be found again by name")
    return f"{cls.__module__}.{cls.__qualname__}"


def _first_paragraph(cls: type) -> str | None:
    return inspect.cleandoc(cls.__doc__).split("\n\n")[0] if cls.__doc__ else None


def _top_level(module_path: str) -> str:
    return module_path.partition(".")[0]
