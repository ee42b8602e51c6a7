"""A round-robin conversation of ten group-chat turns, ours beside AutoGen 0.7.5's; and a thousand of them at once."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_ORACLE = _HERE.parent / ".venv-oracle" / "bin" / "python"
_CONVERSATIONS = 40
_CROWD = 1000
_ROUNDS = 5
_RATIO_LIMIT = 2.0
_MEMORY_LIMIT_MB = 500


def run() -> dict[str, object]:
    """Medians over alternating rounds: milliseconds per conversation, their ratio, and MB for the crowd.

    Without the oracle environment the comparison is left out and `compared_with` is None.
    """
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(_ROUNDS):
        ours.append(_measure(sys.executable, "agentopic")["milliseconds_per_conversation"])
        if _ORACLE.exists():
            theirs.append(_measure(str(_ORACLE), "autogen")["milliseconds_per_conversation"])
    crowd = _measure(sys.executable, "agentopic", crowd=_CROWD)["crowd_rss_mb"]
    result: dict[str, object] = {
        "conversations": _CONVERSATIONS,
        "rounds": _ROUNDS,
        "agentopic": {"milliseconds_per_conversation": round(statistics.median(ours), 2)},
        "crowd": {"conversations": _CROWD, "rss_mb": round(crowd), "limit_mb": _MEMORY_LIMIT_MB},
        "compared_with": "autogen-agentchat 0.7.5" if theirs else None,
    }
    if theirs:
        result["autogen"] = {"milliseconds_per_conversation": round(statistics.median(theirs), 2)}
        result["ratio"] = round(statistics.median(theirs) / statistics.median(ours), 1)
        result["ratio_limit"] = _RATIO_LIMIT
    return result


def _measure(python: str, package: str, *, crowd: int = 0) -> dict[str, float]:
    command = [python, str(_HERE / "_team_load.py"), package, str(_CONVERSATIONS), str(crowd)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)
