"""Agents, tools, conditions and the console do what AutoGen's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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

    assert sorted(ours) == sorted(SECTIONS)
