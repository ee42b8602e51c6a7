"""The sub-packages of agentopic.core behave as autogen_core's do, but for the differences listed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.oracle

DELIBERATE_DIFFERENCES: dict[str, str] = {
    "a_tool_agent[3][0][0]": "arguments that lack what the tool requires are invalid, not a failure of the tool",
    "function_tools[3]": "a parameter without annotation is a ValueError that names it, no KeyError",
    "schemas_made_into_classes.choices.const": "`const` is understood",
    "schemas_made_into_classes.formats.email": "`email` needs no further package",
    "schemas_made_into_classes.formats.uuid": "`uuid` takes UUIDs of any version",
    "schemas_made_into_classes.limits.m": "`multipleOf` is checked",
    "schemas_made_into_classes.types.any": "an array without `items` holds anything, not only text",
    "schemas_made_into_classes.types.two": "`type` may be a list",
    "schemas_with_references[5]": "an error of its own class, which is a ValueError",
    "schemas_with_references[6]": "an error of its own class, which is a ValueError",
    "schemas_with_references[8]": "a schema that is not of an object is refused, not taken for an empty one",
}


@pytest.fixture(scope="module")
def outcomes(compared: Callable[..., tuple[Any, Any]]) -> tuple[Any, Any]:
    return compared("autogen_part_scenarios.py")


def test_no_scenario_breaks(outcomes: tuple[Any, Any]) -> None:
    broken = [text for results in outcomes for text in results.values() if "scenario raised" in str(text)]

    assert broken == []


def test_every_part_behaves_as_autogens_but_for_the_listed_differences(outcomes: tuple[Any, Any]) -> None:
    theirs, ours = outcomes

    assert sorted(_differences(theirs, ours, "")) == sorted(DELIBERATE_DIFFERENCES)


def _differences(theirs: Any, ours: Any, path: str) -> Iterator[str]:
    if theirs == ours:
        return
    if isinstance(theirs, dict) and isinstance(ours, dict) and theirs.keys() == ours.keys():
        for key in theirs:
            yield from _differences(theirs[key], ours[key], f"{path}.{key}" if path else key)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, pair in enumerate(zip(theirs, ours, strict=True)):
            yield from _differences(*pair, f"{path}[{index}]")
    else:
        yield path
