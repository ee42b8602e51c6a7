"""Every public name and signature of autogen_core 0.7.5 is there in agentopic.core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.oracle

OWNED_SUBMODULES = ("exceptions", "logging")

LEFT_OUT: dict[str, str] = {
    "required_class_vars": "how AutoGen's component classes check themselves, of no use to callers",
}
"""Names and members of AutoGen that agentopic.core does not have, with the reason."""


@pytest.fixture(scope="module")
def apis(compared: Callable[..., tuple[Any, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return compared("autogen_signatures.py", *OWNED_SUBMODULES)


@pytest.mark.parametrize("submodule", ["", *OWNED_SUBMODULES])
def test_every_public_name_is_there(submodule: str, apis: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = apis

    missing = theirs[submodule].keys() - ours[submodule].keys() - LEFT_OUT.keys()

    assert missing == set()


@pytest.mark.parametrize("submodule", ["", *OWNED_SUBMODULES])
def test_every_signature_takes_what_autogen_takes(submodule: str, apis: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = apis

    differences = [
        text
        for name, thing in theirs[submodule].items()
        if name not in LEFT_OUT and name in ours[submodule]
        for text in _differences(name, thing, ours[submodule][name])
    ]

    assert differences == []


def _differences(name: str, theirs: Any, ours: Any) -> list[str]:
    found: list[str] = []
    if theirs["kind"] not in (ours["kind"], "value"):  # a type alias may be spelled in several ways
        return [f"{name} is a {ours['kind']}, not a {theirs['kind']}"]
    if not _accepts(ours["parameters"], theirs["parameters"]):
        found.append(f"{name}{ours['parameters']} for {theirs['parameters']}")
    for member, (kind, parameters) in theirs["members"].items():
        if member in LEFT_OUT:
            continue
        mine = ours["members"].get(member)
        if mine is None:
            found.append(f"{name}.{member} is missing")
        elif mine[0] != kind:
            found.append(f"{name}.{member} is a {mine[0]}, not a {kind}")
        elif not _accepts(mine[1], parameters):
            found.append(f"{name}.{member}{mine[1]} for {parameters}")
    return found


def _accepts(ours: list[Any] | None, theirs: list[Any] | None) -> bool:
    """Whether ours takes the same parameters; further ones must be optional and by keyword."""
    if theirs is None or ours is None:
        return True
    names = {p[0] for p in theirs}
    shared = [p for p in ours if p[0] in names]
    further = [p for p in ours if p[0] not in names]
    return shared == theirs and all(p[1] == "KEYWORD_ONLY" and p[2] is not None for p in further)
