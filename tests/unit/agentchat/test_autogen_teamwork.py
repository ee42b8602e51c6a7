"""Agents and conditions within teams do what AutoGen's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.oracle


def test_teamwork_goes_as_in_autogen(printed: Callable[..., Any]) -> None:
    theirs = printed("autogen", "autogen_teamwork.py")

    ours = printed("agentopic", "autogen_teamwork.py")

    assert ours == theirs
