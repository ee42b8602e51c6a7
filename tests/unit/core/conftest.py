"""The oracle: AutoGen 0.7.5 in its own environment, and scripts that run there and here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[3]
_ORACLE = _ROOT / ".venv-oracle" / "bin" / "python"


@pytest.fixture(scope="session")
def compared() -> Callable[..., tuple[Any, Any]]:
    """Run a script of this folder against AutoGen and against agentopic; returns what both printed as JSON."""
    if not _ORACLE.exists():
        reason = "no oracle: 'make oracle' sets up AutoGen 0.7.5 to compare with"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; it is part of every CI run", pytrace=False)
        pytest.skip(reason)

    def run(script: str, *submodules: str) -> tuple[Any, Any]:
        path = Path(__file__).parent / script
        theirs = _print_of(str(_ORACLE), path, "autogen_core", submodules)
        return theirs, _print_of(sys.executable, path, "agentopic.core", submodules)

    return run


def _print_of(python: str, script: Path, package: str, arguments: tuple[str, ...]) -> Any:
    done = subprocess.run(
        [python, str(script), package, *arguments], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
