"""What the documents name exists: files they link to, headings, make targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .source_tree import ROOT

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MAKE = re.compile(r"`(?:[A-Z_]+=\S+ )*make ([a-z][a-z-]*)[^`]*`|^make ([a-z][a-z-]*)", re.MULTILINE)
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PRIVATE = {".venv", ".venv-oracle", ".git", "node_modules"}
DOCUMENTS = sorted(path for path in ROOT.rglob("*.md") if not PRIVATE & set(path.relative_to(ROOT).parts))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _anchors(path: Path) -> set[str]:
    headings = HEADING.findall(path.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    links = [
        link for link in LINK.findall(document.read_text()) if "://" not in link and not link.startswith("mailto:")
    ]

    for link in links:
        file, _, anchor = link.partition("#")
        target = (document.parent / file).resolve() if file else document
        assert target.exists(), f"{_name(document)} links to {file}"
        assert not anchor or anchor in _anchors(target), f"{_name(document)} links to {link}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_named_make_targets_exist(document: Path) -> None:
    named = {inline or fenced for inline, fenced in MAKE.findall(document.read_text())}

    assert named - TARGETS == set()


def test_phony_targets_are_the_targets() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert phony is not None
    assert set(phony.group(1).split()) == TARGETS
