"""A round-robin conversation of ten group-chat turns, ours beside AutoGen 0.7.5's; and a thousand of them at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks._child import ORACLE
from benchmarks._scale import scaled

_LOAD = Path(__file__).parent / "_team_load.py"
_PEER = "autogen-agentchat 0.7.5"
_ROUNDS = 5


def run() -> dict[str, object]:
    """Return medians of alternating rounds, what AutoGen takes for one conversation beside ours, and the crowd's MB."""
    conversations, crowd = scaled(40), scaled(1000)
    sides = {"agentopic": (sys.executable, "agentopic")}
    if ORACLE.exists():
        sides[_PEER] = (str(ORACLE), "autogen")
    took: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(_ROUNDS):
        for side, (python, package) in sides.items():
            took[side].append(_measure(python, package, conversations)["milliseconds_per_conversation"])
    each = {side: round(median(figures), 2) for side, figures in took.items()}
    resident = _measure(sys.executable, "agentopic", conversations, crowd)["crowd_rss_mb"]
    return {
        "milliseconds per conversation": each,
        "ratio": {_PEER: round(each[_PEER] / each["agentopic"], 1)} if _PEER in each else {},
        "wanted": {_PEER: 2},
        f"{crowd} conversations at once": {"resident_mb": round(resident), "wanted_below_resident_mb": 500},
    }


def _measure(python: str, package: str, conversations: int, crowd: int = 0) -> dict[str, float]:
    command = [python, str(_LOAD), package, str(conversations), str(crowd)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
