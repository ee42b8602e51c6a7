"""What the guides show is what happens: their programs are run and print what stands below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .guide_blocks import Block, Program, blocks, programs

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs").rglob("*.md"))
BLOCKS = [block for guide in GUIDES for block in blocks(guide, ROOT)]
PROGRAMS = programs(BLOCKS)
ORACLE = ROOT / ".venv-oracle" / "bin" / "python"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
CODE = {"python", "console", "bash", "sh", "json", "toml", "yaml"}


@pytest.fixture(scope="module")
def autogen() -> str:
    """The Python that has AutoGen 0.7.5."""
    if not ORACLE.exists():
        reason = "no oracle: 'make oracle' sets up AutoGen 0.7.5 to compare with"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; it is part of every CI run", pytrace=False)
        pytest.skip(reason)
    return str(ORACLE)


def printed(python: str, program: str, folder: Path) -> str:
    """Run a program in an empty folder and return what it printed, log lines aside."""
    (folder / "program.py").write_text(program)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPIC_", "AUTOGEN_"))}
    environment = kept | {"XDG_CONFIG_HOME": str(folder)}
    ended = subprocess.run(
        [python, "program.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=50, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return "".join(line for line in ended.stdout.splitlines(keepends=True) if not LOG_LINE.match(line))


def in_process(program: str) -> str:
    """The program with its imports changed."""
    return program.replace("autogen_core", "agentopic.core")


def durable(program: str) -> str:
    """The program with its imports, its runtime and the start of it changed, as the guide says."""
    text = in_process(program).replace(
        "from agentopic.core", "from agentopic import DurableRuntime\nfrom agentopic.core", 1
    )
    text = text.replace("SingleThreadedAgentRuntime()", 'DurableRuntime("memory://", "memory://")')
    return text.replace("runtime.start()", "await runtime.start()")


def of(how: str) -> list[Program]:
    return [program for program in PROGRAMS if program.how == how]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in CODE], ids=str)
def test_every_code_block_is_run_or_says_why_not(block: Block) -> None:
    kind, _, rest = block.mark.partition(": ")

    assert kind in {"run", "example", "not run"}
    assert rest


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_every_program_shows_what_it_prints(program: Program) -> None:
    assert set(program.prints) == ({"autogen", "agentopic"} if program.how == "both" else {""})


@pytest.mark.parametrize("program", of("agentopic"), ids=str)
def test_a_program_prints_what_the_guide_says(program: Program, tmp_path: Path) -> None:
    assert printed(sys.executable, program.block.text, tmp_path) == program.prints[""]


@pytest.mark.oracle
@pytest.mark.parametrize("program", of("autogen"), ids=str)
def test_an_autogen_program_prints_what_the_guide_says(program: Program, tmp_path: Path, autogen: str) -> None:
    assert printed(autogen, program.block.text, tmp_path) == program.prints[""]


@pytest.mark.oracle
@pytest.mark.parametrize("program", of("both"), ids=str)
def test_a_difference_is_as_the_guide_says(program: Program, tmp_path: Path, autogen: str) -> None:
    assert printed(autogen, program.block.text, tmp_path) == program.prints["autogen"]
    assert printed(sys.executable, in_process(program.block.text), tmp_path) == program.prints["autogen"]
    assert printed(sys.executable, durable(program.block.text), tmp_path) == program.prints["agentopic"]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.mark.startswith("example: ")], ids=str)
def test_a_block_named_after_an_example_is_that_example(block: Block) -> None:
    example = ROOT / "examples" / block.mark.removeprefix("example: ")

    assert block.text == example.read_text()
