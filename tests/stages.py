"""Run the suite in named stages, each within its time budget, and close with one line of totals."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

_TESTS = Path(__file__).parent
_NOTHING_COLLECTED = 5
# A stage that takes this many times its budget is stuck rather than slow.
_PATIENCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Folders under `tests` that run together."""

    name: str
    minutes: int
    folders: tuple[str, ...]
    side_by_side: bool = False
    """Whether its tests run in a process per core, each with servers of its own; not where a machine's load counts."""


STAGES = (
    Stage(name="checks", minutes=4, folders=("architecture", "typing")),
    Stage(name="unit", minutes=5, folders=("unit", "contract", "fuzz"), side_by_side=True),
    Stage(name="integration", minutes=8, folders=("integration",)),
    Stage(name="acceptance", minutes=8, folders=("acceptance", "replay")),
    Stage(name="simulation", minutes=5, folders=("simulation",)),
    Stage(name="chaos", minutes=12, folders=("chaos",)),
)


@dataclass(slots=True)
class Count:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0


def main(names: list[str]) -> int:
    """Run the named stages, all when none is named; return 0 only if every one passed."""
    unknown = set(names) - {stage.name for stage in STAGES}
    if unknown:
        sys.stderr.write(f"no such stage: {', '.join(sorted(unknown))}\n")
        return 2
    total, report, good = Count(), list[str](), True
    for stage in STAGES:
        if names and stage.name not in names:
            continue
        began = time.monotonic()
        passed = _run(stage, total)
        good = good and passed
        seconds = time.monotonic() - began
        report.append(f"{stage.name:<12}{_verdict(stage, passed, seconds):<8}{seconds:6.0f} s of {stage.minutes} min")
        _say(report[-1])
    _say("\n" + "\n".join(report))
    _say(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 0 if good and total.passed else 1


def _verdict(stage: Stage, passed: bool, seconds: float) -> str:
    return "FAILED" if not passed else "SLOW" if seconds > 60 * stage.minutes else "ok"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _run(stage: Stage, total: Count) -> bool:
    folders = [str(_TESTS / folder) for folder in stage.folders if any((_TESTS / folder).rglob("test_*.py"))]
    _say(f"\n==> {stage.name}: {' '.join(stage.folders)} (budget {stage.minutes} min)")
    if not folders:
        _say("no tests in this stage yet")
        return True
    with tempfile.TemporaryDirectory() as work:
        results = Path(work) / "results.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={results}", *_workers(stage), *folders]
        try:
            ended = subprocess.run(command, cwd=_TESTS.parent, check=False, timeout=stage.minutes * 60 * _PATIENCE)
        except subprocess.TimeoutExpired:
            _say(f"{stage.name} was ended after {_PATIENCE} times its budget")
            total.failed += 1
            return False
        _add(results, total)
    return ended.returncode in {0, _NOTHING_COLLECTED}


def _workers(stage: Stage) -> list[str]:
    # Stolen tests: one that takes half a minute holds nobody up who could run what was waiting behind it.
    return ["-n", str(os.cpu_count() or 1), "--dist", "worksteal"] if stage.side_by_side else []


def _add(results: Path, total: Count) -> None:
    if not results.exists():
        total.failed += 1
        return
    for suite in ET.parse(results).getroot().iter("testsuite"):
        ran, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
        failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        total.failed += failed
        total.skipped += skipped
        total.passed += ran - failed - skipped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
