from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from agentopic.core import CancellationToken, ComponentLoader
from agentopic.core.code_executor import CodeBlock, FunctionWithRequirements, with_requirements
from agentopic.core.tools import StaticWorkbench
from agentopic.ext.code_executors.local import ExecutionLimits, LocalCommandLineCodeExecutor
from agentopic.ext.tools.code_execution import PythonCodeExecutionTool

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups and ulimit are POSIX")


def block(code: str, language: str = "python") -> list[CodeBlock]:
    return [CodeBlock(code=code, language=language)]


async def run(executor: LocalCommandLineCodeExecutor, *blocks: CodeBlock):
    return await executor.execute_code_blocks(list(blocks), CancellationToken())


@pytest.mark.parametrize(
    ("language", "code"), [("python", "print(40 + 2)"), ("Python", "print(42)"), ("bash", "echo 42"), ("sh", "echo 42")]
)
async def test_code_is_run(tmp_path, language, code) -> None:
    async with LocalCommandLineCodeExecutor(work_dir=tmp_path) as executor:
        result = await run(executor, *block(code, language))

    assert (result.exit_code, result.output) == (0, "42\n")
    assert list(tmp_path.iterdir()) == []


async def test_blocks_run_in_order_up_to_the_first_that_fails() -> None:
    blocks = [*block("print(1)"), *block("import sys; print(2); sys.exit(3)"), *block("print(4)")]

    async with LocalCommandLineCodeExecutor() as executor:
        result = await run(executor, *blocks)

    assert (result.exit_code, result.output) == (3, "1\n2\n")


async def test_a_traceback_is_output() -> None:
    async with LocalCommandLineCodeExecutor() as executor:
        result = await run(executor, *block("1/0"))

    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.output


async def test_a_timeout_kills_children_too(tmp_path) -> None:
    code = "sleep 300 & echo $! > child; sleep 300"

    async with LocalCommandLineCodeExecutor(timeout=1, work_dir=tmp_path) as executor:
        result = await run(executor, *block(code, "bash"))

    assert result.exit_code == 124
    assert result.output.endswith("Timeout")
    assert await gone(int((tmp_path / "child").read_text()))


async def test_a_child_left_behind_does_not_hold_the_result_up(tmp_path) -> None:
    async with LocalCommandLineCodeExecutor(timeout=60, work_dir=tmp_path) as executor:
        result = await run(executor, *block("sleep 300 & echo $! > child; echo done", "bash"))

    assert (result.exit_code, result.output) == (0, "done\n")
    assert await gone(int((tmp_path / "child").read_text()))


async def test_cancelling_ends_the_run(tmp_path) -> None:
    token = CancellationToken()
    async with LocalCommandLineCodeExecutor(work_dir=tmp_path) as executor:
        running = asyncio.create_task(executor.execute_code_blocks(block("touch on; sleep 300", "sh"), token))
        await appeared(tmp_path / "on")

        token.cancel()

        assert (await running).exit_code == 125


async def test_cancelling_the_task_leaves_no_process(tmp_path) -> None:
    code = block("echo $$ > child; sleep 300", "sh")
    async with LocalCommandLineCodeExecutor(work_dir=tmp_path) as executor:
        running = asyncio.create_task(executor.execute_code_blocks(code, CancellationToken()))
        pid = int(await appeared(tmp_path / "child"))

        running.cancel()

        with pytest.raises(asyncio.CancelledError):
            await running
    assert await gone(pid)


async def test_output_is_cut() -> None:
    async with LocalCommandLineCodeExecutor(limits=ExecutionLimits(output_bytes=10)) as executor:
        result = await run(executor, *block("print('x' * 1_000_000)"))

    assert result.exit_code == 0
    assert result.output == "x" * 10 + "\n[output cut after 10 bytes]"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (ExecutionLimits(memory_bytes=512 << 20), "x = bytearray(2 << 30)"),
        (ExecutionLimits(file_bytes=1 << 20), "open('big', 'wb').write(bytes(4 << 20))"),
        (ExecutionLimits(cpu_seconds=1), "while True: pass"),
    ],
    ids=["memory", "file", "cpu"],
)
async def test_a_run_beyond_its_limits_fails(limits, code) -> None:
    async with LocalCommandLineCodeExecutor(limits=limits) as executor:
        result = await run(executor, *block(code))

    assert result.exit_code not in {0, 124}


async def test_secrets_of_this_process_are_not_passed_on(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    async with LocalCommandLineCodeExecutor(environment={"GIVEN": "yes"}) as executor:
        result = await run(executor, *block("env", "sh"))

    assert "sk-secret" not in result.output
    assert "GIVEN=yes" in result.output


async def test_a_named_file_is_kept_inside_the_work_directory(tmp_path) -> None:
    async with LocalCommandLineCodeExecutor(work_dir=tmp_path) as executor:
        named = await run(executor, *block("# filename: sub/x.py\nprint(1)"))
        outside = await run(executor, *block("# filename: ../x.py\nprint(1)"))

    assert named.code_file == str(tmp_path / "sub" / "x.py")
    assert _exists(tmp_path / "sub" / "x.py")
    assert outside.exit_code == 1
    assert "outside the work directory" in outside.output


async def test_an_unknown_language_is_a_failed_run() -> None:
    async with LocalCommandLineCodeExecutor() as executor:
        result = await run(executor, *block("x", "cobol"))

    assert (result.exit_code, result.output) == (1, "\nunknown language cobol")


@with_requirements(global_imports=["math"])
def circle(radius: float) -> float:
    """The area."""
    import math

    return math.pi * radius**2


async def test_functions_can_be_imported_by_the_code() -> None:
    def twice(x: int) -> int:
        return 2 * x

    given = FunctionWithRequirements.from_str("def half(x: int) -> float:\n    return x / 2")
    executor = LocalCommandLineCodeExecutor(functions=[circle, twice, given])

    async with executor:
        result = await run(
            executor, *block("from functions import circle, twice, half\nprint(twice(2), half(3), round(circle(1)))")
        )

    assert result.output == "4 1.5 3\n"
    assert "def circle(radius: float) -> float:" in executor.format_functions_for_prompt()


async def test_the_temporary_work_directory_is_removed() -> None:
    executor = LocalCommandLineCodeExecutor()
    await executor.start()
    work_dir = executor.work_dir

    await executor.restart()
    again = executor.work_dir
    await executor.stop()

    assert not work_dir.exists()
    assert not again.exists()


@pytest.mark.parametrize(
    ("options", "complaint"), [({"timeout": 0}, "Timeout"), ({"functions_module": "a b"}, "Module")]
)
def test_options_that_cannot_work_are_refused(options, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        LocalCommandLineCodeExecutor(**options)


async def test_the_tool_gives_the_output_and_is_built_again_from_json() -> None:
    dumped = PythonCodeExecutionTool(LocalCommandLineCodeExecutor(timeout=30)).dump_component()

    tool = ComponentLoader.load_component(dumped.model_dump(mode="json"), expected=PythonCodeExecutionTool)
    result = await StaticWorkbench([tool]).call_tool("CodeExecutor", {"code": "print(7)"})

    assert dumped.provider == "autogen_ext.tools.code_execution.PythonCodeExecutionTool"
    assert result.to_text() == "7\n"
    await tool._executor.stop()


async def gone(pid: int) -> bool:
    return await until(lambda: not _runs(pid))


async def appeared(path: Path) -> str:
    assert await until(lambda: _exists(path) and (path.name == "on" or path.read_text().strip() != ""))
    return await asyncio.to_thread(path.read_text)


async def until(condition) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


def _exists(path: Path) -> bool:
    return path.exists()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
