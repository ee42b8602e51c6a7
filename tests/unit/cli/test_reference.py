from __future__ import annotations

from pathlib import Path

import pytest

from agentopic.cli import reference

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(("page", "text"), [("settings.md", reference.settings_page), ("cli.md", reference.cli_page)])
def test_the_reference_pages_are_those_of_this_version(page: str, text):
    assert (DOCS / page).read_text() == text(), "write them anew: python -m agentopic.cli.reference docs"


def test_writing_fills_a_folder(tmp_path: Path):
    reference.write(tmp_path)

    assert sorted(each.name for each in tmp_path.iterdir()) == ["cli.md", "settings.md"]
