"""The command line of bubblewrap around a command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agentopic.errors import CodeExecutorUnavailableError

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/ssl", "/etc/ld.so.cache")
_FOR_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf")
_PROBE_SECONDS = 5.0


def bubblewrap_program() -> str:
    """The path of `bwrap`.

    Raises:
        CodeExecutorUnavailableError: it is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise CodeExecutorUnavailableError("the sandbox needs bubblewrap: install the package 'bubblewrap' (bwrap)")
    return program


def walled(argv: Sequence[str], *, work_dir: Path, python: str, network: bool) -> list[str]:
    """`argv` in namespaces of its own: it sees the system read-only and, of the rest, its work directory alone.

    Raises:
        CodeExecutorUnavailableError: bubblewrap is not installed.
    """
    wall = [bubblewrap_program(), "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if network:
        wall.append("--share-net")
    for place in (*_SYSTEM, *(_FOR_NETWORK if network else ())):
        wall += ["--ro-bind-try", place, place]
    wall += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108 - a fresh one inside the wall
    for place in _homes_of(python):
        wall += ["--ro-bind-try", place, place]
    return [*wall, "--bind", str(work_dir), str(work_dir), "--chdir", str(work_dir), "--", *argv]


def sandbox_works() -> bool:
    """Whether bubblewrap is installed and the kernel lets it build its wall here."""
    try:
        probe = walled(["/bin/sh", "-c", ":"], work_dir=Path("/usr"), python=sys.executable, network=False)
        done = subprocess.run(probe, capture_output=True, timeout=_PROBE_SECONDS, check=False)  # noqa: S603 - our own words
    except (CodeExecutorUnavailableError, OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _homes_of(python: str) -> list[str]:
    """Where an interpreter and its packages lie: its environment and the installation behind it."""
    program = Path(python)
    homes = {program.parent.parent, program.resolve().parent.parent}
    if python == sys.executable:
        homes |= {Path(sys.prefix), Path(sys.base_prefix)}
    return sorted(str(home) for home in homes if home != Path("/"))
