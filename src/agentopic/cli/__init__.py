"""The command line: data on stdout, everything else on stderr, ten exit codes."""

from __future__ import annotations

from agentopic.cli.program import main

__all__ = ["main"]
