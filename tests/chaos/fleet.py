"""Worker processes under fault: started, killed or stopped while a paid call is open, started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

from agentopic.testing.history import HistoryFile, in_flight

HERE = Path(__file__).parent
LEASE_SECONDS = 3
Worker = subprocess.Popen[bytes]


async def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition; say what did not come true."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # the condition lies outside of this process: nothing can wake us
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


class Fleet:
    """Processes of one service; all are ended with the block."""

    def __init__(self, directory: Path, *, transport: str, journal: str, namespace: str, **environment: str) -> None:
        self.directory, self.namespace = directory, namespace
        self.history = HistoryFile(directory / "history.jsonl")
        self._environment = {
            **os.environ,
            "AGENTOPIC_TRANSPORT": transport,
            "AGENTOPIC_JOURNAL": journal,
            "AGENTOPIC_NAMESPACE": namespace,
            "AGENTOPIC_LEASE_SECONDS": str(LEASE_SECONDS),
            "AGENTOPIC_PARTITIONS": "6",
            "CHAOS_HISTORY": str(self.history.path),
            **environment,
        }
        self.workers: list[Worker] = []

    # ── workers ────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, **environment: str) -> Worker:
        """Start one more worker."""
        with (self.directory / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, str(HERE / "worker.py")],
                env={**self._environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
            )
        self.workers.append(worker)
        return worker

    async def ready(self, count: int) -> None:
        """Wait until so many workers of all that were started have said that they are ready."""
        await until(lambda: self.logs().count('"event": "ready"') >= count, f"{count} workers are ready", 60)

    def logs(self) -> str:
        """Return all that the workers said."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.directory.glob("worker-*.log")))

    def open_calls(self, worker: Worker) -> frozenset[str]:
        """Return the paid calls that a worker has open."""
        return in_flight(self.history.read(), str(worker.pid))

    # ── faults ─────────────────────────────────────────────────────────────────────────────────────────────

    async def in_flight(self, worker: Worker, count: int = 1) -> None:
        """Wait until a worker has so many paid calls open."""
        await until(lambda: len(self.open_calls(worker)) >= count, f"{count} paid calls of a worker are open")

    def fault(self, kind: str, worker: Worker | None = None, *, hit: object = None) -> None:
        """Note a fault; one that hits a worker hits the calls it has open."""
        calls = hit if worker is None else sorted(self.open_calls(worker))
        self.history.note("fault", "ok", kind, process="" if worker is None else str(worker.pid), hit=calls)

    async def kill(self, worker: Worker, *, calls: int = 1) -> None:
        """SIGKILL a worker while it has paid calls open."""
        await self.in_flight(worker, calls)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.fault("kill -9", worker)

    async def pause(self, worker: Worker, seconds: float) -> None:
        """SIGSTOP a worker while it has paid calls open, and let it go on later."""
        await self.in_flight(worker)
        worker.send_signal(signal.SIGSTOP)
        self.fault("stop", worker)
        await asyncio.sleep(seconds)  # the fault itself
        self.go_on(worker)

    def go_on(self, worker: Worker) -> None:
        """SIGCONT a worker."""
        worker.send_signal(signal.SIGCONT)

    async def retire(self, worker: Worker) -> int:
        """SIGTERM a worker and return its exit code once it has drained."""
        hit = sorted(self.open_calls(worker))
        worker.terminate()
        code = await asyncio.to_thread(worker.wait, 40)
        # Nobody was hit: what it had open it has ended. The fault is noted without its process.
        self.history.note("fault", "ok", "terminate", hit=hit)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
