"""Programs that run to their end: one call for every tool of the test bed."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from agentopic.testing.account import Account


def run_program(
    command: Sequence[str | Path],
    *,
    account: Account | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `command`, as `account` when one is given, and return how it ended and what it said.

    Raises:
        OSError: when the program cannot be reached or run.
    """
    return subprocess.run(  # noqa: S603 - the callers name programs they found themselves
        command,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
