"""An AssistantAgent says, keeps and dumps what AutoGen's does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def both(printed: Callable[[str], Any]) -> tuple[Any, Any]:
    return printed("autogen"), printed("agentopic")


def test_conversations_go_as_in_autogen(both: tuple[Any, Any]) -> None:
    theirs, ours = both

    assert ours["conversations"] == theirs["conversations"]


def test_components_are_dumped_as_in_autogen(both: tuple[Any, Any]) -> None:
    theirs, ours = both

    assert ours["components"] == theirs["components"]


def test_tools_are_described_as_in_autogen(both: tuple[Any, Any]) -> None:
    theirs, ours = both

    assert ours["schema"] == theirs["schema"]
