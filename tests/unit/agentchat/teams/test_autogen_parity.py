"""Teams say, keep and dump what AutoGen's do, and each goes on with what the other saved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.oracle

_HERE = Path(__file__).parent
_ORACLE = _HERE.parents[3] / ".venv-oracle" / "bin" / "python"


def _run(product: str, *arguments: str) -> Any:
    python = str(_ORACLE) if product == "autogen" else sys.executable
    command = [python, str(_HERE / "autogen_teams.py"), product, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    if not _ORACLE.exists():
        reason = "no oracle: 'make oracle' sets up AutoGen 0.7.5 to compare with"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; it is part of every CI run", pytrace=False)
        pytest.skip(reason)
    ours, theirs = _run("agentopic"), _run("autogen")
    kept = tmp_path_factory.mktemp("kept")
    (kept / "ours.json").write_text(json.dumps(ours))
    (kept / "theirs.json").write_text(json.dumps(theirs))
    return _run("autogen", str(kept / "ours.json")), _run("agentopic", str(kept / "theirs.json"))


def test_teams_say_and_keep_what_autogens_do(both: tuple[Any, Any]) -> None:
    theirs, ours = both

    assert ours["conversations"] == theirs["conversations"]


def test_random_graphs_are_walked_as_in_autogen(both: tuple[Any, Any]) -> None:
    theirs, ours = both

    assert ours["graphs"] == theirs["graphs"]


def test_teams_are_dumped_as_in_autogen(both: tuple[Any, Any]) -> None:
    theirs, ours = both

    assert ours["components"] == theirs["components"]


def test_each_product_loads_what_the_other_saved(both: tuple[Any, Any]) -> None:
    theirs, ours = both

    assert ours["carried on"] == theirs["carried on"]
