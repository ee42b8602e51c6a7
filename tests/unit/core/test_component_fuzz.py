"""Whatever JSON is loaded as a component: a component or a typed error comes of it, and nothing strange is imported."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentopic.core import Component, ComponentLoader
from agentopic.core.memory import ListMemory
from agentopic.core.model_context import HeadAndTailChatCompletionContext, UnboundedChatCompletionContext
from agentopic.errors import ComponentError

ALLOWED = ("agentopic.core", "agentopic.agentchat", "agentopic.ext")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
words = st.sampled_from(
    [
        "agentopic", "autogen_core", "autogen_agentchat", "autogen_ext", "core", "tools", "models", "openai", "replay",
        "FunctionTool", "InMemoryStore", "ListMemory", "__main__", "os", "path", "sys", "cli", "", "..", "é", "a b",
    ]
)  # fmt: skip
providers = (
    st.sampled_from(
        [
            "autogen_core.InMemoryStore",
            "autogen_core.tools.FunctionTool",
            "autogen_core.tools.StaticWorkbench",
            "autogen_core.memory.ListMemory",
            "autogen_core.model_context.BufferedChatCompletionContext",
            "autogen_core.model_context.HeadAndTailChatCompletionContext",
            "autogen_agentchat.agents.AssistantAgent",
            "autogen_ext.models.replay.ReplayChatCompletionClient",
            "openai_chat_completion_client",
        ]
    )
    | st.lists(words, max_size=5).map(".".join)
    | st.text(max_size=30)
)
config_keys = st.sampled_from(
    [
        "tools", "workbench", "model_client", "buffer_size", "head_size", "tail_size", "memory_contents", "name",
        "description", "source_code", "global_imports", "has_cancellation_support", "chat_completions", "model",
        "handoffs", "model_context", "memory", "initial_messages",
    ]
)  # fmt: skip


def models(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "provider": providers | scalars,
            "config": st.dictionaries(config_keys, inner | st.lists(inner, max_size=3), max_size=6) | anything,
            "component_version": st.integers(-3, 5) | scalars,
            "component_type": scalars,
            "version": scalars,
        },
    )


components = st.recursive(anything | models(anything), models, max_leaves=8)


@pytest.fixture(scope="module", autouse=True)
def loaded_before() -> None:
    """What importing the kinds themselves brings in is no fault of any JSON."""
    for name in ("agentopic.agentchat.agents", "agentopic.ext.models.openai", "agentopic.ext.models.replay"):
        importlib.import_module(name)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(model=components)
def test_any_json_ends_in_a_component_or_a_typed_error(model: Any) -> None:
    before = set(sys.modules)

    try:
        loaded = ComponentLoader.load_component(model, object)
    except ComponentError:
        loaded = None

    assert loaded is None or isinstance(loaded, Component)
    imported = {name for name in set(sys.modules) - before if name.startswith("agentopic")}
    assert [name for name in imported if not name.startswith(ALLOWED)] == []


@settings(max_examples=200, deadline=None)
@given(provider=providers)
def test_no_provider_makes_a_module_be_imported_outside_the_allowed_packages(provider: str) -> None:
    top = provider.partition(".")[0]
    known = top in sys.modules

    with pytest.raises(ComponentError):
        ComponentLoader.load_component(
            {"provider": provider, "config": {"no such": 1}, "component_version": 99}, object
        )

    assert known or top not in sys.modules


@given(
    head=st.integers(1, 9),
    tail=st.integers(1, 9),
    name=st.none() | st.text(max_size=9),
    kind=st.sampled_from([0, 1, 2]),
)
def test_what_was_dumped_is_loaded_as_it_was(head: int, tail: int, name: str | None, kind: int) -> None:
    made = (
        HeadAndTailChatCompletionContext(head, tail),
        UnboundedChatCompletionContext(),
        ListMemory(name),
    )[kind]
    dumped = made.dump_component()

    again = ComponentLoader.load_component(dumped.model_dump(), type(made))

    assert again.dump_component() == dumped
