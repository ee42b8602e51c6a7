"""Messages per second inside one process, agentopic.core beside autogen_core 0.7.5, alternating in one run."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_ORACLE = _HERE.parent / ".venv-oracle" / "bin" / "python"
_MESSAGES = 3000
_ROUNDS = 5
_CASES = ("send", "send_concurrent", "publish")


def run() -> dict[str, object]:
    """Medians over alternating rounds: rates per second, µs per message and the ratios of the rates.

    Without the oracle environment the comparison is left out and `compared_with` is None.
    """
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    for _ in range(_ROUNDS):
        ours.append(_measure(sys.executable, "agentopic.core"))
        if _ORACLE.exists():
            theirs.append(_measure(str(_ORACLE), "autogen_core"))
    result: dict[str, object] = {
        "messages": _MESSAGES,
        "rounds": _ROUNDS,
        "agentopic": _summary(ours),
        "compared_with": "autogen-core 0.7.5" if theirs else None,
    }
    if theirs:
        result["autogen"] = _summary(theirs)
        result["ratio"] = {case: round(_median(theirs, case) / _median(ours, case), 1) for case in _CASES}
        result["wanted"] = dict.fromkeys(_CASES, 3)
    return result


def _measure(python: str, package: str) -> dict[str, float]:
    command = [python, str(_HERE / "_in_process_load.py"), package, str(_MESSAGES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return {case: float(microseconds) for case, microseconds in json.loads(done.stdout).items()}


def _median(rounds: list[dict[str, float]], case: str) -> float:
    return statistics.median(each[case] for each in rounds)


def _summary(rounds: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    return {
        case: {
            "microseconds_per_message": round(_median(rounds, case), 1),
            "messages_per_second": round(1e6 / _median(rounds, case)),
        }
        for case in _CASES
    }


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
