"""Worker processes under fault: started, killed while a paid call is open, started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent


async def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition; say what did not come true."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # the condition lies outside of this process: nothing can wake us
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


class Ledger:
    """The paid calls as the outside world saw them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def open_calls(self, pid: int) -> set[int]:
        """Orders whose call this process opened and did not close."""
        mine = [line for line in self.lines() if line["pid"] == pid]
        closed = Counter(line["number"] for line in mine if line["call"] == "closed")
        opened = Counter(line["number"] for line in mine if line["call"] == "open")
        return set(opened - closed)

    def paid(self) -> Counter[int]:
        """How often each order's call was opened."""
        return Counter(line["number"] for line in self.lines() if line["call"] == "open")


class Fleet:
    """Processes of one service; all are ended with the block."""

    def __init__(self, directory: Path, *, transport: str, journal: str, namespace: str) -> None:
        self.directory = directory
        self.ledger = Ledger(directory / "ledger.jsonl")
        self._environment = {
            **os.environ,
            "AGENTOPIC_TRANSPORT": transport,
            "AGENTOPIC_JOURNAL": journal,
            "AGENTOPIC_NAMESPACE": namespace,
            "AGENTOPIC_LEASE_SECONDS": "3",
            "AGENTOPIC_PARTITIONS": "6",
            "CHAOS_LEDGER": str(self.ledger.path),
            "PYTHONPATH": str(HERE),
        }
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        """Start one more worker."""
        log = (self.directory / f"worker-{len(self.workers)}.log").open("wb")
        with log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "agentopic", "run", "ledger_agent:app"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
            )
        self.workers.append(worker)
        return worker

    async def kill_in_flight(self, worker: subprocess.Popen[bytes]) -> set[int]:
        """SIGKILL a worker while it has paid calls open and return the orders it had them open for."""
        await until(lambda: bool(self.ledger.open_calls(worker.pid)), "a paid call of this worker is open")
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        return self.ledger.open_calls(worker.pid)

    async def pause_in_flight(self, worker: subprocess.Popen[bytes], seconds: float) -> set[int]:
        """SIGSTOP a worker while it has paid calls open, let it go on later; return the orders they were open for."""
        await until(lambda: bool(self.ledger.open_calls(worker.pid)), "a paid call of this worker is open")
        worker.send_signal(signal.SIGSTOP)
        stopped = self.ledger.open_calls(worker.pid)
        await asyncio.sleep(seconds)  # the fault itself: longer than a lease
        worker.send_signal(signal.SIGCONT)
        return stopped

    async def retire(self, worker: subprocess.Popen[bytes]) -> int:
        """SIGTERM a worker and return its exit code once it has drained."""
        worker.terminate()
        return await asyncio.to_thread(worker.wait, 40)

    def logs(self) -> str:
        """All that the workers said."""
        return "\n".join(path.read_text() for path in sorted(self.directory.glob("worker-*.log")))

    def ready(self) -> int:
        """How many workers have said that they are ready."""
        return self.logs().count('"event": "ready"')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
