from __future__ import annotations

import sys
from types import new_class
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic.core import (
    ComponentLoader,
    ComponentModel,
    ComponentPolicy,
    InMemoryStore,
    is_component_class,
    is_component_instance,
    use_component_policy,
)
from agentopic.core._cache_store import InMemoryStoreConfig
from agentopic.core.memory import ListMemory, Memory
from agentopic.core.model_context import BufferedChatCompletionContext
from agentopic.core.tools import FunctionTool, StaticWorkbench
from agentopic.errors import (
    ComponentConfigError,
    ComponentError,
    ComponentProviderError,
    ComponentSourceError,
    ComponentVersionError,
)

DUMPED = {"provider": "autogen_core.InMemoryStore", "component_type": "cache_store", "config": {}}


@pytest.mark.parametrize("provider", ["autogen_core.InMemoryStore", "agentopic.core.InMemoryStore"])
def test_providers_of_autogen_mean_ours(provider: str) -> None:
    loaded = ComponentLoader.load_component({"provider": provider, "config": {}})

    assert isinstance(loaded, InMemoryStore)


def test_a_dump_names_autogens_provider() -> None:
    dumped = InMemoryStore().dump_component()

    assert dumped.provider == "autogen_core.InMemoryStore"
    assert (dumped.version, dumped.component_version, dumped.label) == (1, 1, "InMemoryStore")


@pytest.mark.parametrize(
    ("provider", "complaint"),
    [
        ("os.path", "allowed namespaces"),
        ("autogen_core.Nothing", "cannot be imported"),
        ("autogen_nothing.X", "allowed namespaces"),
        ("agentopic.core.AgentId", "not a component class"),
        ("agentopic.errors.ConfigError", "allowed namespaces"),
        ("nodots", "no provider"),
        ("", "no provider"),
        ("agentopic.core..InMemoryStore", "no provider"),
        ("agentopic.core.\0.X", "no provider"),
        ("agentopic.__main__.X", "allowed namespaces"),
        ("agentopic.cli.program.X", "allowed namespaces"),
        ("agentopic_evil.X", "allowed namespaces"),
    ],
)
def test_anything_but_a_known_component_is_refused(provider: str, complaint: str) -> None:
    with pytest.raises(ComponentProviderError, match=complaint) as raised:
        ComponentLoader.load_component({"provider": provider, "config": {}})

    assert raised.value.path == "provider"


def test_a_namespace_can_be_allowed() -> None:
    model = ComponentModel(provider="json.JSONDecoder", config={})

    with (
        use_component_policy(ComponentPolicy(namespaces=frozenset({"json"}))),
        pytest.raises(ComponentError, match="not a component class"),
    ):
        ComponentLoader.load_component(model)


def test_the_class_that_loads_vouches_for_its_own_package() -> None:
    class Loader(ComponentLoader): ...

    Loader.__module__ = "json.tool"

    with pytest.raises(ComponentError, match="not a component class"):
        Loader.load_component({"provider": "json.JSONDecoder", "config": {}})


def test_a_component_of_another_kind_is_refused() -> None:
    with pytest.raises(ComponentError, match="is not a Memory"):
        Memory.load_component(DUMPED)
    with pytest.raises(ComponentError, match="is not a ListMemory"):
        ComponentLoader.load_component(DUMPED, expected=ListMemory)


@pytest.mark.parametrize(("version", "complaint"), [(2, "newer"), (-1, "older version -1")])
def test_a_version_the_class_does_not_know_is_refused(version: int, complaint: str) -> None:
    with pytest.raises(ComponentVersionError, match=complaint):
        ComponentLoader.load_component({**DUMPED, "component_version": version})


@pytest.mark.parametrize("version", [None, 0, 1])
def test_a_component_without_a_version_is_of_the_current_one(version: int | None) -> None:
    loaded = ComponentLoader.load_component({**DUMPED, "version": 7, "component_version": version})

    assert isinstance(loaded, InMemoryStore)


class MovedStore(InMemoryStore[str]):
    """A store that once had another config."""

    component_version = 3
    component_provider_override = None

    @classmethod
    def _from_config_past_version(cls, config: dict[str, Any], version: int) -> MovedStore:
        store = cls._from_config(InMemoryStoreConfig())
        store.set("came from", f"{version} {config}")
        return store


def test_a_config_of_a_past_version_is_brought_up_by_the_class() -> None:
    dumped = MovedStore().dump_component()

    loaded = MovedStore.load_component(dumped.model_copy(update={"component_version": 2, "config": {"old": 1}}))

    assert loaded.get("came from") == "2 {'old': 1}"


def test_classes_of_the_program_itself_need_no_permission() -> None:
    dumped = MovedStore().dump_component()

    assert isinstance(ComponentLoader.load_component(dumped, MovedStore), MovedStore)


def _workbench(*tools: dict[str, Any]) -> dict[str, Any]:
    return {"provider": "autogen_core.tools.StaticWorkbench", "config": {"tools": list(tools)}}


SOURCE = {"source_code": "def f() -> int:\n    return 1", "name": "f", "description": "d", "global_imports": []}
TOOL = {"provider": "autogen_core.tools.FunctionTool", "config": {**SOURCE, "has_cancellation_support": False}}
BUFFERED = "autogen_core.model_context.BufferedChatCompletionContext"


@pytest.mark.parametrize(
    ("component", "kind", "path"),
    [
        ({"provider": "autogen_core.InMemoryStore"}, ComponentConfigError, "config"),
        ({"provider": 7, "config": {}}, ComponentConfigError, "provider"),
        ({"provider": BUFFERED, "config": {"buffer_size": "many"}}, ComponentConfigError, "config.buffer_size"),
        ({"provider": BUFFERED, "config": {"buffer_size": 0}}, ComponentConfigError, "config"),
        (_workbench({"config": {}}), ComponentConfigError, "config.tools[0].provider"),
        (_workbench({"provider": "os.path", "config": {}}), ComponentProviderError, "config.tools[0].provider"),
        (
            _workbench({"provider": "agentopic.core.tools.FunctionTool", "config": {"name": 1}}),
            ComponentConfigError,
            "config.tools[0].config.source_code",
        ),
        (
            {"provider": "autogen_core.tools.StaticStreamWorkbench", "config": {"tools": [DUMPED]}},
            ComponentError,
            "config.tools[0].provider",
        ),
        (_workbench(TOOL), ComponentSourceError, "config.tools[0].config"),
    ],
)
def test_an_error_names_the_exact_place(component: dict[str, Any], kind: type[ComponentError], path: str) -> None:
    with pytest.raises(kind) as raised:
        ComponentLoader.load_component(component, object)

    assert raised.value.path == path
    assert str(raised.value).startswith(path)


def test_a_tools_source_is_not_run_unless_that_is_allowed() -> None:
    source = "import sys; sys.modules['pwned'] = sys\ndef f() -> int: ..."
    evil = {**TOOL, "config": {**SOURCE, "source_code": source, "has_cancellation_support": False}}

    with pytest.raises(ComponentSourceError, match=r"allow_source_code=True.*AGENTOPIC_ALLOW_COMPONENT_SOURCE"):
        FunctionTool.load_component(evil)

    assert "pwned" not in sys.modules


def test_an_argument_allows_the_source_of_tools_inside_too() -> None:
    loaded = ComponentLoader.load_component(_workbench(TOOL), StaticWorkbench, allow_source_code=True)

    assert isinstance(loaded, StaticWorkbench)


def test_the_environment_allows_source_and_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPIC_ALLOW_COMPONENT_SOURCE", "true")
    monkeypatch.setenv("AUTOGEN_ALLOWED_PROVIDER_NAMESPACES", "json, other")

    with pytest.raises(ComponentProviderError, match="not a component class"):
        ComponentLoader.load_component({"provider": "json.JSONDecoder", "config": {}})
    assert isinstance(FunctionTool.load_component(TOOL), FunctionTool)


def test_components_nested_without_end_are_refused() -> None:
    component: dict[str, Any] = {"provider": BUFFERED, "config": {"buffer_size": 1}}
    for _ in range(200):
        component = {"provider": f"{__name__}.Nesting", "config": {"inner": component}}

    with pytest.raises(ComponentConfigError, match="nested more than 64 deep"):
        ComponentLoader.load_component(component, object)


class NestingConfig(BaseModel):
    inner: ComponentModel


class Nesting(InMemoryStore[str]):
    """Holds another component."""

    component_config_schema = NestingConfig
    component_provider_override = None

    @classmethod
    def _from_config(cls, config: NestingConfig) -> Nesting:  # pyright: ignore[reportIncompatibleMethodOverride] - a config of its own
        ComponentLoader.load_component(config.inner, object)
        return cls()


def test_a_component_inside_a_component_is_found_under_its_own_name() -> None:
    wrong = {"provider": f"{__name__}.Nesting", "config": {"inner": {"provider": BUFFERED, "config": {}}}}
    right = {"provider": BUFFERED, "config": {"buffer_size": 1}}

    with pytest.raises(ComponentConfigError, match=r"^config\.inner\.config\.buffer_size: Field required"):
        ComponentLoader.load_component(wrong, object)
    assert isinstance(ComponentLoader.load_component(right, object), BufferedChatCompletionContext)


def test_a_local_class_cannot_be_dumped() -> None:
    class Local(InMemoryStore[str]):
        component_provider_override = None

    with pytest.raises(ComponentError, match="local"):
        Local().dump_component()


def test_components_are_recognised() -> None:
    assert is_component_class(InMemoryStore)
    assert not is_component_class(Memory)
    assert is_component_instance(InMemoryStore())
    assert not is_component_instance(object())


def test_a_class_without_a_kind_is_warned_about() -> None:
    from agentopic.core import Component

    with pytest.warns(UserWarning, match="no component yet"):
        new_class("Incomplete", (Component[BaseModel],))
