"""The lock files are complete and carry hashes; no package index is named in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .source_tree import ROOT

PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


def _asked() -> Iterator[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["project"]["optional-dependencies"].values()
    for text in [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *chain.from_iterable(groups),
    ]:
        requirement = Requirement(text)
        if requirement.name != project["project"]["name"]:
            yield requirement


def test_the_development_lock_satisfies_every_requirement_of_the_project() -> None:
    pins = {canonicalize_name(name): pin for name, pin in PINNED.findall((ROOT / "requirements/dev.lock").read_text())}

    stale = [
        str(requirement)
        for requirement in _asked()
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"), prereleases=True)
        or canonicalize_name(requirement.name) not in pins
    ]

    assert stale == [], "run `make lock`"


def test_the_oracle_lock_pins_what_the_oracle_asks_for() -> None:
    pins = dict(PINNED.findall((ROOT / "requirements/oracle.lock").read_text()))
    asked = [Requirement(line) for line in (ROOT / "requirements/oracle.in").read_text().split()]

    assert [str(one) for one in asked if not one.specifier.contains(pins.get(one.name, "0"))] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_a_hash_and_no_address_is_written_down(lock) -> None:
    text = lock.read_text()

    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())

    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert "--index" not in text
