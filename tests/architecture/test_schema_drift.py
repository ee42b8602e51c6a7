"""The schemas that others build against are those of the payload classes."""

from __future__ import annotations

import runpy
from pathlib import Path

from .source_tree import ROOT

SCHEMAS = ROOT / "schemas"


def _exported() -> dict[Path, str]:
    return runpy.run_path(str(SCHEMAS / "export.py"))["exported"]()


def test_every_payload_class_has_its_schema_file() -> None:
    stale = [str(place) for place, text in _exported().items() if _text(SCHEMAS / place) != text]

    assert stale == [], "run `make schemas`, and give a released type a new version instead of a new shape"


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
