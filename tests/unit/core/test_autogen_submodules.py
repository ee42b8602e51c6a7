"""Every public name and signature of autogen_core's sub-packages is there in agentopic.core's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.oracle

SUBMODULES = ("models", "tools", "memory", "model_context", "code_executor", "tool_agent", "utils")
LEFT_OUT = {"required_class_vars"}


@pytest.fixture(scope="module")
def apis(compared: Callable[..., tuple[Any, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return compared("autogen_signatures.py", *SUBMODULES)


@pytest.mark.parametrize("submodule", SUBMODULES)
def test_every_public_name_is_there(submodule: str, apis: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = apis

    assert theirs[submodule].keys() - ours[submodule].keys() == set()


@pytest.mark.parametrize("submodule", SUBMODULES)
def test_every_signature_takes_what_autogens_takes(submodule: str, apis: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = apis

    assert list(_differences(theirs[submodule], ours[submodule])) == []


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    for name in theirs.keys() & ours.keys():
        if not _accepts(ours[name]["parameters"], theirs[name]["parameters"]):
            yield f"{name}: {ours[name]['parameters']} for {theirs[name]['parameters']}"
        for member, (kind, parameters) in theirs[name]["members"].items():
            mine = ours[name]["members"].get(member)
            if member in LEFT_OUT or (mine and mine[0] == kind and _accepts(mine[1], parameters)):
                continue
            yield f"{name}.{member}: {mine} for {[kind, parameters]}"


def _accepts(ours: list[Any] | None, theirs: list[Any] | None) -> bool:
    if ours is None or theirs is None:
        return True
    names = {parameter[0] for parameter in theirs}
    further = [parameter for parameter in ours if parameter[0] not in names]
    return [p for p in ours if p[0] in names] == theirs and all(p[1] == "KEYWORD_ONLY" and p[2] for p in further)
