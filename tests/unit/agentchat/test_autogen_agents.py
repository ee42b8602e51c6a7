"""Agents, tools, conditions and the console do what AutoGen's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from agentopic.core import ComponentLoader, ComponentModel

pytestmark = pytest.mark.oracle

SECTIONS = (
    "assistants",
    "coders",
    "conditions",
    "console",
    "filters",
    "societies",
    "tools",
    "user proxies",
)


@pytest.fixture(scope="module")
def both(printed: Callable[..., Any]) -> tuple[Any, Any]:
    return printed("autogen", "autogen_agents.py"), printed("agentopic", "autogen_agents.py")


@pytest.mark.parametrize("section", SECTIONS)
def test_it_goes_as_in_autogen(both: tuple[Any, Any], section: str) -> None:
    theirs, ours = both

    assert ours[section] == theirs[section]


def test_every_section_is_compared(both: tuple[Any, Any]) -> None:
    _, ours = both

    assert sorted(ours) == sorted([*SECTIONS, "written"])


@pytest.mark.filterwarnings("ignore:code executor 'c' has no approval_func")
def test_components_that_autogen_wrote_are_built_here(both: tuple[Any, Any]) -> None:
    theirs, _ = both

    for name, component in theirs["written"].items():
        model = ComponentModel.model_validate(component)
        loaded: Any = ComponentLoader.load_component(model, object, allow_source_code=True)
        again = loaded.dump_component().model_dump(mode="json")
        assert (name, undescribed(again)) == (name, undescribed(component))


def undescribed(component: Any) -> Any:
    """A component without what its class's docstring says, at any depth."""
    if isinstance(component, dict):
        items = cast("dict[str, Any]", component)
        gone = {"description"} if "provider" in items else set[str]()
        return {name: undescribed(item) for name, item in items.items() if name not in gone}
    return [undescribed(item) for item in cast("list[Any]", component)] if isinstance(component, list) else component
