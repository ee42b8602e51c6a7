from __future__ import annotations

from types import new_class

import pytest

from agentopic.core import ComponentLoader, ComponentModel, InMemoryStore
from agentopic.core._component_config import (
    ComponentPolicy,
    is_component_class,
    is_component_instance,
    use_component_policy,
)
from agentopic.core.memory import ListMemory, Memory
from agentopic.errors import ComponentError

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
        ("agentopic.errors.ConfigError", "not a component class"),
        ("nodots", "allowed namespaces"),
    ],
)
def test_anything_but_a_known_component_is_refused(provider: str, complaint: str) -> None:
    with pytest.raises(ComponentError, match=complaint):
        ComponentLoader.load_component({"provider": provider, "config": {}})


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


@pytest.mark.parametrize(("version", "complaint"), [(2, "newer"), (0, "older version 0")])
def test_a_version_the_class_does_not_know_is_refused(version: int, complaint: str) -> None:
    with pytest.raises(ComponentError, match=complaint):
        ComponentLoader.load_component({**DUMPED, "version": version})


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
    from pydantic import BaseModel

    from agentopic.core import Component

    with pytest.warns(UserWarning, match="no component yet"):
        new_class("Incomplete", (Component[BaseModel],))
