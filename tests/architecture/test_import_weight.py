"""Importing the package costs little: no client library, no program framework, nothing optional."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

OPTIONAL = {
    "aiokafka",
    "anthropic",
    "asyncpg",
    "cloudevents",
    "fastapi",
    "grpc",
    "httpx",
    "openai",
    "redis",
    "tiktoken",
    "uvicorn",
}
PROGRAMS = {"pydantic_settings", "rich", "structlog", "typer"}
REPORT = "import json, sys; sys.stderr.write(json.dumps(sorted(sys.modules)))"


def _loaded(statements: str) -> set[str]:
    command = [sys.executable, "-c", f"{statements}\n{REPORT}"]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return {name.split(".")[0] for name in json.loads(ended.stderr)}


@pytest.mark.parametrize(
    "module", ["agentopic", "agentopic.core", "agentopic.envelope", "agentopic.ports", "agentopic.testing"]
)
def test_importing_needs_nothing_optional_and_no_program_framework(module: str) -> None:
    loaded = _loaded(f"import {module}")

    assert loaded & (OPTIONAL | PROGRAMS) == set()


def test_importing_agentchat_needs_nothing_optional() -> None:
    loaded = _loaded("import agentopic.agentchat.agents, agentopic.agentchat.messages")

    assert loaded & OPTIONAL == set()


def test_the_help_of_the_command_line_needs_no_client_library_and_no_settings() -> None:
    help_only = "import sys\nsys.argv = ['agentopic', '--help']\nfrom agentopic.cli import main\n"

    loaded = _loaded(f"{help_only}try:\n    main()\nexcept SystemExit:\n    pass")

    assert loaded & (OPTIONAL | {"pydantic_settings"}) == set()
