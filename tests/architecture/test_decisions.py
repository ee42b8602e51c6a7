"""Decision records are numbered without gap or collision and have the sections of the template."""

from __future__ import annotations

import re

from .source_tree import ROOT

RECORDS = sorted(path for path in (ROOT / "docs" / "decisions").glob("*.md") if path.stem != "template")
SECTIONS = ("## Context", "## Decision", "## Consequences")


def test_numbers_run_from_one_without_gap_or_collision() -> None:
    numbers = [path.name.split("-")[0] for path in RECORDS]

    assert numbers == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]


def test_each_record_has_its_number_in_the_title_a_status_a_date_and_the_sections() -> None:
    for path in RECORDS:
        text = path.read_text()

        assert text.startswith(f"# {path.name[:4]} "), path.name
        assert re.search(r"^(Accepted|Superseded by \d{4}), \d{4}-\d{2}-\d{2}$", text, re.MULTILINE), path.name
        assert [section for section in SECTIONS if section not in text] == [], path.name
