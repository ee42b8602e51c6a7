"""Code runs in a container: against an engine of the tests that speaks Docker's API."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from agentopic.core import CancellationToken, ComponentLoader
from agentopic.core.code_executor import CodeBlock, with_requirements
from agentopic.errors import CodeExecutorError, CodeExecutorUnavailableError
from agentopic.ext.code_executors import create_default_code_executor
from agentopic.ext.code_executors.docker import ContainerLimits, DockerCommandLineCodeExecutor
from agentopic.ext.code_executors.local import LocalCommandLineCodeExecutor

from .docker_engine import DockerEngine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the engine of the tests needs unix sockets")


@pytest.fixture
def engine(tmp_path_factory, monkeypatch) -> Generator[DockerEngine]:
    engine = DockerEngine(tmp_path_factory.mktemp("engine"))
    monkeypatch.setenv("DOCKER_HOST", engine.url)
    yield engine
    engine.close()


async def run(executor: DockerCommandLineCodeExecutor, code: str, language: str = "sh"):
    return await executor.execute_code_blocks([CodeBlock(code=code, language=language)], CancellationToken())


async def test_code_runs_in_the_workspace(engine, tmp_path) -> None:
    async with DockerCommandLineCodeExecutor(work_dir=tmp_path) as executor:
        result = await run(executor, "echo 42; cat $0 | head -1")

    assert (result.exit_code, result.output) == (0, "42\necho 42; cat $0 | head -1")
    assert result.code_file is not None
    assert Path(result.code_file).parent == tmp_path
    (argv,) = [argv for _, argv in engine.commands.values()]
    assert argv[-5:] == ["-k", "1", "60", "sh", f"/workspace/{Path(result.code_file).name}"]


async def test_the_container_is_walled_in_and_stopped(engine, tmp_path) -> None:
    limits = ContainerLimits(memory_bytes=64 * 1024 * 1024, processes=9, network=False)
    executor = DockerCommandLineCodeExecutor(
        work_dir=tmp_path, bind_dir="/elsewhere", container_name="mine", init_command="echo begin", limits=limits
    )

    async with executor:
        pass

    made = engine.containers["c0"]
    assert (made["name"], made["Image"], made["NetworkDisabled"]) == ("mine", "python:3-slim", True)
    assert made["HostConfig"]["Binds"] == ["/elsewhere:/workspace:rw"]
    assert (made["HostConfig"]["Memory"], made["HostConfig"]["PidsLimit"]) == (64 * 1024 * 1024, 9)
    assert made["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]
    assert made["Cmd"][1].startswith("echo begin; ")
    assert not made.get("Env")
    assert engine.stopped == ["c0"]


async def test_a_container_can_be_left_running(engine, tmp_path) -> None:
    async with DockerCommandLineCodeExecutor(work_dir=tmp_path, stop_container=False):
        pass

    assert engine.stopped == []


async def test_blocks_run_up_to_the_first_that_fails(engine) -> None:
    blocks = [CodeBlock(code=code, language="sh") for code in ("echo 1", "echo 2; exit 3", "echo 4")]

    async with DockerCommandLineCodeExecutor() as executor:
        result = await executor.execute_code_blocks(blocks, CancellationToken())

    assert (result.exit_code, result.output) == (3, "1\n2\n")


async def test_a_timeout_ends_the_run(engine) -> None:
    async with DockerCommandLineCodeExecutor(timeout=1) as executor:
        result = await run(executor, "echo begun; exec sleep 300")

    assert (result.exit_code, result.output) == (124, "begun\n\nTimeout")


async def test_cancelling_kills_the_command(engine, tmp_path) -> None:
    token = CancellationToken()
    async with DockerCommandLineCodeExecutor(work_dir=tmp_path) as executor:
        block = CodeBlock(code="touch on; exec sleep 300", language="sh")
        running = asyncio.create_task(executor.execute_code_blocks([block], token))
        while not (tmp_path / "on").exists():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)

        token.cancel()
        result = await running

    assert result.exit_code == 125
    assert result.output.endswith("\nCancelled")


async def test_output_is_bounded(engine) -> None:
    async with DockerCommandLineCodeExecutor(limits=ContainerLimits(output_bytes=10)) as executor:
        result = await run(executor, "head -c 5000000 /dev/zero | tr '\\0' x")

    assert result.output == "xxxxxxxxxx\n[output cut after 10 bytes]"


async def test_functions_can_be_imported(engine, tmp_path) -> None:
    @with_requirements(python_packages=[])
    def double(x: int) -> int:
        return 2 * x

    async with DockerCommandLineCodeExecutor(work_dir=tmp_path, functions=[double]) as executor:
        result = await run(
            executor, f"PYTHONPATH=. {sys.executable} -c 'import functions; print(functions.double(21))'"
        )

    assert result.output == "42\n"


async def test_files_the_code_did_not_name_can_be_deleted(engine, tmp_path) -> None:
    async with DockerCommandLineCodeExecutor(work_dir=tmp_path, delete_tmp_files=True) as executor:
        await run(executor, "echo 1")
        await run(executor, "# filename: kept.sh\necho 2")

    assert [path.name for path in tmp_path.iterdir()] == ["kept.sh"]


async def test_unknown_languages_and_names_outside_are_told(engine) -> None:
    async with DockerCommandLineCodeExecutor() as executor:
        unknown, outside = await run(executor, "1", "cobol"), await run(executor, "# filename: ../x.sh\n1")

    assert (unknown.exit_code, unknown.output) == (1, "\nunknown language cobol")
    assert "outside the work directory" in outside.output


async def test_an_image_is_pulled_where_it_is_not_there(engine) -> None:
    async with DockerCommandLineCodeExecutor("other:1"):
        pass

    assert engine.pulled == ["other:1"]


async def test_an_image_that_cannot_be_had_is_a_typed_error(engine) -> None:
    with pytest.raises(CodeExecutorError, match="missing:1"):
        await DockerCommandLineCodeExecutor("missing:1").start()


async def test_no_engine_is_a_typed_error(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")

    with pytest.raises(CodeExecutorUnavailableError, match="no Docker engine"):
        await DockerCommandLineCodeExecutor().start()


async def test_running_without_a_start_is_a_typed_error(tmp_path) -> None:
    with pytest.raises(CodeExecutorError, match="start"):
        await run(DockerCommandLineCodeExecutor(work_dir=tmp_path), "echo 1")


def test_the_default_is_docker_where_it_answers(engine) -> None:
    assert isinstance(create_default_code_executor(), DockerCommandLineCodeExecutor)


def test_the_default_without_any_wall_warns(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.warns(UserWarning, match="plain processes"):
        executor = create_default_code_executor()

    assert type(executor) is LocalCommandLineCodeExecutor


def test_the_config_is_autogens() -> None:
    executor = DockerCommandLineCodeExecutor("i", timeout=7, extra_hosts={"a": "b"}, delete_tmp_files=True)

    dumped = executor.dump_component()
    loaded = ComponentLoader.load_component(dumped, DockerCommandLineCodeExecutor)

    assert dumped.provider == "autogen_ext.code_executors.docker.DockerCommandLineCodeExecutor"
    assert dumped.config == {
        "image": "i",
        "timeout": 7,
        "auto_remove": True,
        "stop_container": True,
        "functions_module": "functions",
        "extra_volumes": {},
        "extra_hosts": {"a": "b"},
        "delete_tmp_files": True,
    }
    assert loaded.dump_component() == dumped
