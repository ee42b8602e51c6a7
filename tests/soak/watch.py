"""What is watched while work goes on: the memory of one process, and how much of what was accepted is not done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from agentopic.testing.history import HistoryFile

GROWTH = 1.25
"""How much larger memory may be in the last third than in the middle one."""
BACKLOG_ORDERS = 300
"""How much the backlog of the last third may be above that of the middle one: a kill holds up a lease's work."""


class Watch:
    """Samples of one process and of the backlog."""

    def __init__(self, history: HistoryFile) -> None:
        self._history = history
        self._memory = list[float]()
        self._backlog = list[int]()

    def look(self, pid: int, *, published: int) -> None:
        """Take one sample."""
        self._memory.append(resident_mb(pid))
        done = {each.subject for each in self._history.read() if each.operation == "turn" and each.phase == "ok"}
        self._backlog.append(published - len(done))

    def figures(self) -> dict[str, float]:
        """Return the medians of the middle and the last third of the time, and the peaks."""
        return {
            "mb_middle": median(_third(self._memory, 1)),
            "mb_end": median(_third(self._memory, 2)),
            "mb_peak": max(self._memory),
            "backlog_middle": median(_third(self._backlog, 1)),
            "backlog_end": median(_third(self._backlog, 2)),
            "backlog_peak": max(self._backlog),
        }

    def complaints(self) -> list[str]:
        """Return what has grown, a line each."""
        seen = self.figures()
        found = list[str]()
        if seen["mb_end"] > GROWTH * seen["mb_middle"]:
            found.append(f"memory grew from {seen['mb_middle']:.0f} to {seen['mb_end']:.0f} MB")
        if seen["backlog_end"] > seen["backlog_middle"] + BACKLOG_ORDERS:
            found.append(f"the backlog grew from {seen['backlog_middle']:.0f} to {seen['backlog_end']:.0f} orders")
        return found


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (10**6 bytes), as Linux tells it."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 1)


def _third(samples: Sequence[float], which: int) -> Sequence[float]:
    size = max(1, len(samples) // 3)
    return samples[which * size : (which + 1) * size] or samples[-1:]
