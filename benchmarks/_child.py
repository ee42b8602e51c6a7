"""Programs of a benchmark in processes of their own; what they print is JSON, what went wrong is passed on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
ORACLE = ROOT / ".venv-oracle" / "bin" / "python"
"""An interpreter with AutoGen 0.7.5 and FastStream; without it comparisons with them are left out."""

_READY_SECONDS = 60.0


def ours(module: str, *arguments: object) -> dict[str, Any]:
    """Run `benchmarks.<module>` in this environment and return what it printed."""
    return _run([sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)])


def theirs(script: str, *arguments: object) -> dict[str, Any]:
    """Run a script of this folder in the oracle environment and return what it printed."""
    return _run([str(ORACLE), str(HERE / f"{script}.py"), *map(str, arguments)])


def _run(command: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)


@dataclass
class Child:
    """A service of the benchmark that runs until it is ended."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def resident_mib(self) -> float:
        """Memory of the process that is in RAM, in MiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def kill(self) -> None:
        """End it as the kernel would: at once."""
        self.process.kill()
        self.process.wait()


@contextmanager
def service(*arguments: object, module: str = "_service_process") -> Generator[Child]:
    """Run `benchmarks.<module>` and yield once it says that it is ready."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        with log.open("wb") as output, subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as process:
            try:
                _wait_until_ready(process, log)
                yield Child(process, log)
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while b"ready\n" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start:\n{log.read_text()[-4000:]}")
        time.sleep(0.02)
