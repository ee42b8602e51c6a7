"""What the guides show is what happens: their programs are run and print what stands below them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from .guide_blocks import Block, Program, blocks, programs

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs").rglob("*.md"))
BLOCKS = [block for guide in GUIDES for block in blocks(guide, ROOT)]
PROGRAMS = programs(BLOCKS)
MIGRATION = ROOT / "docs" / "migrate" / "autogen.md"
ORACLE = ROOT / ".venv-oracle" / "bin" / "python"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
CODE = {"python", "console", "bash", "sh", "json", "toml", "yaml"}
MODULE = re.compile(r"^\| `(autogen_[\w.]+)` \| (same|in part|absent) \| (.*)\|$", re.MULTILINE)
MODULES = [
    (match[1], match[2], set(re.findall(r"`(\w+)`", match[3]))) for match in MODULE.finditer(MIGRATION.read_text())
]
NAMES = """
import importlib, json, sys
print(json.dumps({name: importlib.import_module(name).__all__ for name in sys.argv[1:]}))
"""


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


@pytest.mark.parametrize(("module", "state", "missing"), MODULES, ids=[module for module, _, _ in MODULES])
def test_a_module_of_autogen_is_here_or_not_as_the_guide_says(module: str, state: str, missing: set[str]) -> None:
    ours = module.replace("autogen_", "agentopic.", 1)

    assert (find_spec(ours) is None) == (state == "absent")
    assert bool(missing) == (state == "in part")


@pytest.mark.oracle
def test_the_names_missing_from_modules_are_those_the_guide_lists(autogen: str) -> None:
    here = {module: missing for module, state, missing in MODULES if state != "absent"}
    exporting = [module for module in here if module != "autogen_core.logging"]
    ended = subprocess.run([autogen, "-c", NAMES, *exporting], capture_output=True, text=True, timeout=50, check=True)

    gaps = {
        module: {
            name
            for name in names
            if not name.startswith("_")
            and not hasattr(import_module(module.replace("autogen_", "agentopic.", 1)), name)
        }
        for module, names in json.loads(ended.stdout).items()
    }

    assert gaps == {module: here[module] for module in exporting}
