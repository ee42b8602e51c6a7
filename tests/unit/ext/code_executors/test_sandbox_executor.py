"""The wall of bubblewrap: what it lets through, and what happens where it cannot be built."""

from __future__ import annotations

import shutil
import stat
import sys
from pathlib import Path

import pytest

from agentopic.core import CancellationToken, ComponentLoader
from agentopic.core.code_executor import CodeBlock
from agentopic.errors import CodeExecutorUnavailableError
from agentopic.ext.code_executors import create_default_code_executor
from agentopic.ext.code_executors.sandbox import SandboxCommandLineCodeExecutor, sandbox_works

STAND_IN = """#!/bin/sh
printf '%s\\n' "$@" > "$(dirname "$0")/wall"
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""

needs_bubblewrap = pytest.mark.skipif(not sandbox_works(), reason="bubblewrap is not installed or may not build here")


@pytest.fixture
def stand_in(tmp_path_factory, monkeypatch) -> Path:
    """A `bwrap` that writes down its wall and runs the command without one."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "bwrap").write_text(STAND_IN)
    (folder / "bwrap").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "wall"


async def run(executor: SandboxCommandLineCodeExecutor, code: str, language: str = "python"):
    return await executor.execute_code_blocks([CodeBlock(code=code, language=language)], CancellationToken())


async def test_code_runs_behind_the_wall(stand_in, tmp_path) -> None:
    async with SandboxCommandLineCodeExecutor(work_dir=tmp_path) as executor:
        result = await run(executor, "print(42)")

    wall = stand_in.read_text().splitlines()
    assert (result.exit_code, result.output) == (0, "42\n")
    assert {"--unshare-all", "--die-with-parent", "--new-session"} <= set(wall)
    assert "--share-net" not in wall
    at = wall.index("--bind")
    assert wall[at + 1 : at + 3] == [str(tmp_path.resolve())] * 2
    assert wall.count("--bind") == 1
    assert "/" not in wall
    assert str(Path.home()) not in wall


async def test_the_network_can_be_let_in(stand_in, tmp_path) -> None:
    async with SandboxCommandLineCodeExecutor(work_dir=tmp_path, network=True) as executor:
        await run(executor, "print(42)")

    assert "--share-net" in stand_in.read_text()


async def test_no_bubblewrap_is_a_typed_error(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CodeExecutorUnavailableError, match="bubblewrap"):
        await SandboxCommandLineCodeExecutor().start()
    assert not sandbox_works()


async def test_a_kernel_that_forbids_the_wall_is_a_typed_error(stand_in) -> None:
    (stand_in.parent / "bwrap").write_text("#!/bin/sh\necho no permission >&2; exit 1\n")

    with pytest.raises(CodeExecutorUnavailableError):
        await SandboxCommandLineCodeExecutor().start()


def test_the_default_is_the_sandbox_where_docker_does_not_answer(stand_in, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")

    assert isinstance(create_default_code_executor(), SandboxCommandLineCodeExecutor)


def test_the_config_comes_back() -> None:
    dumped = SandboxCommandLineCodeExecutor(timeout=7, network=True).dump_component()

    loaded = ComponentLoader.load_component(dumped, SandboxCommandLineCodeExecutor)

    assert dumped.config["network"] is True
    assert loaded.dump_component() == dumped


@needs_bubblewrap
async def test_the_wall_hides_files_processes_and_network() -> None:
    assert shutil.which("bwrap")
    code = """
import os, socket
print(os.path.exists(os.path.expanduser("~root/.bashrc")), len([p for p in os.listdir("/proc") if p.isdigit()]) < 5)
try:
    socket.create_connection(("1.1.1.1", 53), 1)
except OSError:
    print("no network")
"""
    async with SandboxCommandLineCodeExecutor() as executor:
        result = await run(executor, code)

    assert result.output == "False True\nno network\n"
    assert sys.executable
