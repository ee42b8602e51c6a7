"""Programs that use every part of AutoGen print the same with AutoGen 0.7.5 and, their import lines changed, here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.oracle

HERE = Path(__file__).parent
SUITE = HERE / "autogen_user" / "suite"
PROGRAMS = sorted(path.stem for path in SUITE.glob("*.txt") if path.stem != "kit")
ORACLE = HERE.parents[1] / ".venv-oracle" / "bin" / "python"
_IMPORT = re.compile(r"^(\s*)(from|import) autogen_(core|agentchat|ext)\b", re.MULTILINE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|\+00:00)?")
_SECONDS = re.compile(r"(?<=uration: )[\d.]+")
_DESCRIPTION = re.compile(r'"description":("(?:[^"\\]|\\.)*"|null),"label"')
"""What a class says of itself: each package has its own words."""


def _comparable(text: str) -> str:
    text = re.sub(r"\bautogen_(core|agentchat|ext)\b", r"agentopic.\1", text)
    for pattern, word in ((_UUID, "<uuid>"), (_TIME, "<time>"), (_SECONDS, "<seconds>")):
        text = pattern.sub(word, text)
    return _DESCRIPTION.sub('"description":"","label"', text)


def _started(python: str, folder: Path, *, moved: bool) -> subprocess.Popen[str]:
    folder.mkdir()
    for path in SUITE.glob("*.txt"):
        source = path.read_text()
        program = _IMPORT.sub(r"\1\2 agentopic.\3", source) if moved else source
        (folder / f"{path.stem}.py").write_text(program)
    command = [python, "-W", "ignore", str(HERE / "autogen_suite.py"), str(folder), *PROGRAMS]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _printed(process: subprocess.Popen[str]) -> Mapping[str, str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return {name: _comparable(text) for name, text in json.loads(out).items()}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, str], Mapping[str, str]]:
    if not ORACLE.exists():
        reason = "no oracle: 'make oracle' sets up AutoGen 0.7.5 to compare with"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; it is part of every CI run", pytrace=False)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("suite")
    theirs = _started(str(ORACLE), folder / "autogen", moved=False)
    ours = _started(sys.executable, folder / "agentopic", moved=True)
    return _printed(theirs), _printed(ours)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_what_it_prints_with_autogen(
    name: str, printed: tuple[Mapping[str, str], Mapping[str, str]]
) -> None:
    theirs, ours = printed

    assert ours[name].splitlines() == theirs[name].splitlines()
