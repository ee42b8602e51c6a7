"""The table of AutoGen's symbols is what both packages say, and what is absent only shrinks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIGRATE = ROOT / "docs" / "migrate"
ORACLE = ROOT / ".venv-oracle" / "lib"
ROW = re.compile(r"^\| `(\w+)` \| (?:class|function|value) \| (same|better|differs|absent) \| (.*) \|$", re.MULTILINE)
PAGE = (MIGRATE / "from-autogen.md").read_text()
CHECK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import generate
print(generate.page_with(generate.table(generate.rows(Path(sys.argv[2])))), end="")
"""


@pytest.fixture(scope="module")
def site_packages() -> Path:
    found = next(ORACLE.glob("python*/site-packages"), None)
    if found is None:
        reason = "no oracle: 'make oracle' sets up AutoGen 0.7.5 to compare with"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; it is part of every CI run", pytrace=False)
        pytest.skip(reason)
    return found


@pytest.mark.oracle
def test_the_table_is_what_both_packages_say(site_packages: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", CHECK, str(MIGRATE), str(site_packages)], capture_output=True, text=True, check=True
    )

    assert made.stdout == PAGE, "write it anew: python docs/migrate/generate.py SITE_PACKAGES_OF_AUTOGEN"


def test_no_more_is_absent_than_was_before() -> None:
    absent = [name for name, status, _ in ROW.findall(PAGE) if status == "absent"]

    assert len(absent) == int((MIGRATE / "absent.txt").read_text())


def test_what_is_not_the_same_says_why() -> None:
    silent = [name for name, status, why in ROW.findall(PAGE) if status in {"better", "differs"} and not why]

    assert silent == []


def test_every_reviewed_symbol_is_in_the_table() -> None:
    notes = tomllib.loads((MIGRATE / "notes.toml").read_text())
    listed = set(re.findall(r"^### `([\w.]+)`$", PAGE, re.MULTILINE))
    named = {name for name, _, _ in ROW.findall(PAGE)}

    assert [key for key in notes if key not in listed and key.rpartition(".")[2] not in named] == []
    assert {note["is"] for note in notes.values()} <= {"same", "better", "differs", "absent"}
