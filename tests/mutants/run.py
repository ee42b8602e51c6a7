"""Put each fault in, run the test that must notice, and fail when one goes unnoticed: `python -m tests.mutants.run`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from agentopic.testing.proof import write

from .catalogue import MUTANTS, Mutant, Test

ROOT = Path(__file__).parents[2]
TEST_SECONDS = 180


class StaleError(Exception):
    """A mutant's source is not there any more: it tests nothing."""


def apply(mutant: Mutant, source: Path) -> None:
    """Change a copy of the source."""
    for patch in mutant.patches:
        path = source / patch.file
        text = path.read_text()
        if text.count(patch.old) != 1:
            raise StaleError(f"{patch.file} holds {text.count(patch.old)} times: {patch.old.strip().splitlines()[0]}")
        path.write_text(text.replace(patch.old, patch.new))


def passes(test: Test, source: Path) -> bool:
    """Run a test on a copy of the source; one that does not end has noticed, too."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test.path]
    if test.select:
        command += ["-k", test.select]
    # What a faulty source makes of a test is no figure of the proof.
    surroundings = {"SIMULATION_SEEDS": str(test.seeds), "AGENTOPIC_TEST_FIGURES": os.devnull}
    environment = {**os.environ, "PYTHONPATH": str(source), **surroundings}
    try:
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=TEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    if ended.returncode not in {0, 1}:
        raise StaleError(f"{test.path} -k {test.select!r} ran nothing:\n{ended.stdout.decode()[-2000:]}")
    return ended.returncode == 0


def survivors(mutants: Sequence[Mutant], work: Path) -> list[str]:
    """Return the faults that no test noticed, and those that cannot be put in any more."""
    left: list[str] = []
    for index, mutant in enumerate(mutants):
        source, began = work / str(index), time.monotonic()
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            apply(mutant, source)
            caught = not passes(mutant.caught_by, source)
            said = "caught" if caught else "SURVIVED"
        except StaleError as exc:
            caught, said = False, f"STALE: {exc}"
        shutil.rmtree(source)
        sys.stdout.write(f"{said:<9}{time.monotonic() - began:5.0f} s  {mutant.name}\n")
        sys.stdout.flush()
        if caught:
            write("mutants", mutant.name, by=f"`{Path(mutant.caught_by.path).stem}`: {mutant.caught_by.select}")
        else:
            left.append(mutant.name)
    return left


def _baseline(tests: Sequence[Test]) -> Sequence[Test]:
    """Return what must pass without a fault; of several numbers of seeds the largest covers the others."""
    most = max((each.seeds for each in tests), default=0)
    return [each for each in dict.fromkeys(tests) if each.seeds in {0, most}]


def main(names: Sequence[str]) -> int:
    """Try the mutants whose names contain one of these words, all without one; 1 when a test fails without a fault."""
    chosen = [each for each in MUTANTS if not names or any(name in each.name for name in names)]
    for test in _baseline([each.caught_by for each in chosen]):
        if not passes(test, ROOT / "src"):
            sys.stdout.write(f"fails without any fault: {test}\n")
            return 1
    with tempfile.TemporaryDirectory() as work:
        left = survivors(chosen, Path(work))
    sys.stdout.write(f"{len(chosen) - len(left)} of {len(chosen)} faults were noticed\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
