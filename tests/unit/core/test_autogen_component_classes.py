"""Every component class of AutoGen is one here, under the same provider string, with at least the same config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.oracle

MORE_LENIENT = {"agentopic.agentchat.conditions.TokenUsageTermination"}
"""Classes whose config leaves out what AutoGen's makes mandatory."""


@pytest.fixture(scope="module")
def classes(compared: Callable[..., tuple[Any, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return compared("autogen_component_classes.py")


def test_every_component_class_is_there(classes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = classes

    assert sorted(theirs.keys() - ours.keys()) == []


def test_kind_version_and_provider_are_the_same(classes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = classes

    def told(found: dict[str, Any]) -> dict[str, Any]:
        return {name: [found[name][key] for key in ("type", "version", "provider")] for name in theirs if name in ours}

    assert told(ours) == told(theirs)


def test_every_config_takes_what_autogens_takes(classes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = classes
    shared = theirs.keys() & ours.keys()

    lacking = {name: set(theirs[name]["fields"]) - set(ours[name]["fields"]) for name in shared}
    needing = {name for name in shared if theirs[name]["required"] != ours[name]["required"]}

    assert {name: fields for name, fields in lacking.items() if fields} == {}
    assert needing <= MORE_LENIENT
    assert all(set(ours[name]["required"]) <= set(theirs[name]["required"]) for name in needing)
