"""The oracle: AutoGen 0.7.5 in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent
_ORACLE = _HERE.parents[2] / ".venv-oracle" / "bin" / "python"


@pytest.fixture(scope="session")
def printed() -> Callable[..., Any]:
    """Run a script of scenarios against "autogen" or "agentopic"; returns what it printed as JSON."""
    if not _ORACLE.exists():
        reason = "no oracle: 'make oracle' sets up AutoGen 0.7.5 to compare with"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; it is part of every CI run", pytrace=False)
        pytest.skip(reason)

    def run(product: str, script: str = "autogen_conversations.py") -> Any:
        python = str(_ORACLE) if product == "autogen" else sys.executable
        command = [python, str(_HERE / script), product]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run
