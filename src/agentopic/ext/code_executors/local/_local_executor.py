"""`LocalCommandLineCodeExecutor`: runs code blocks as bounded processes of this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template
from types import SimpleNamespace
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from agentopic.core import TRACE_LOGGER_NAME, CancellationToken, Component
from agentopic.core.code_executor import (
    CodeBlock,
    CodeExecutor,
    FunctionWithRequirements,
    FunctionWithRequirementsStr,
)
from agentopic.core.code_executor._function_with_requirements import functions_module as module_source
from agentopic.core.code_executor._function_with_requirements import stub_of
from agentopic.ext.code_executors._command_line_result import CommandLineCodeResult
from agentopic.ext.code_executors.local._bounded_process import ProcessOutcome, run_bounded
from agentopic.ext.code_executors.local._code_file import code_file
from agentopic.ext.code_executors.local._limits import ExecutionLimits

_log = logging.getLogger(TRACE_LOGGER_NAME)


class LocalCommandLineCodeExecutorConfig(BaseModel):
    """Config of LocalCommandLineCodeExecutor; functions, limits and environment are not part of it."""

    timeout: int = 60
    work_dir: str | None = None
    functions_module: str = "functions"
    cleanup_temp_files: bool = True


class LocalCommandLineCodeExecutor(CodeExecutor, Component[LocalCommandLineCodeExecutorConfig]):
    """Writes each block to a file of its work directory and runs it as a process group of its own.

    Exit code 124 means that `timeout` seconds passed, 125 that the run was cancelled; in both cases every process
    of the run is killed. The environment is a minimal one: nothing of this process's own (keys, tokens) is passed
    on, only `environment`. Without a `work_dir` a temporary directory is made, and removed by `stop`.
    """

    component_config_schema = LocalCommandLineCodeExecutorConfig
    component_provider_override = "autogen_ext.code_executors.local.LocalCommandLineCodeExecutor"

    SUPPORTED_LANGUAGES: ClassVar[list[str]] = [
        "bash",
        "shell",
        "sh",
        "pwsh",
        "powershell",
        "ps1",
        "python",
    ]
    FUNCTION_PROMPT_TEMPLATE: ClassVar[str] = """These functions can be used:

$functions

Import them in Python like this: from $module_name import $function_names"""

    def __init__(  # noqa: PLR0917 - AutoGen's signature
        self,
        timeout: int = 60,
        work_dir: Path | str | None = None,
        functions: Sequence[FunctionWithRequirements[Any, Any] | Callable[..., Any] | FunctionWithRequirementsStr] = [],
        functions_module: str = "functions",
        cleanup_temp_files: bool = True,
        virtual_env_context: SimpleNamespace | None = None,
        *,
        limits: ExecutionLimits | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if timeout < 1:
            raise ValueError("Timeout must be greater than or equal to 1.")
        if not functions_module.isidentifier():
            raise ValueError("Module name must be a valid Python identifier")
        self._timeout = timeout
        self._work_dir = None if work_dir is None else Path(work_dir)
        self._functions = functions
        self._functions_module = functions_module
        self._cleanup_temp_files = cleanup_temp_files
        self._virtual_env = virtual_env_context
        self._limits = limits or ExecutionLimits()
        self._environment = dict(environment or {})
        self._temp_dir: tempfile.TemporaryDirectory[str] | None = None
        self._functions_ready = not functions
        self._preparing = asyncio.Lock()

    @property
    def timeout(self) -> int:
        """Seconds one block may take."""
        return self._timeout

    @property
    def work_dir(self) -> Path:
        """Where code runs; the temporary directory is made by the first use."""
        if self._work_dir is not None:
            return self._work_dir
        if self._temp_dir is None:
            self._temp_dir = tempfile.TemporaryDirectory(prefix="agentopic-code-")
        return Path(self._temp_dir.name)

    @property
    def functions(self) -> list[str]:
        """The names of the functions that code may import."""
        return [_name_of(function) for function in self._functions]

    @property
    def functions_module(self) -> str:
        """The name of the module that holds the functions."""
        return self._functions_module

    @property
    def cleanup_temp_files(self) -> bool:
        """Whether files that the code did not name are removed after the run."""
        return self._cleanup_temp_files

    def format_functions_for_prompt(self, prompt_template: str = FUNCTION_PROMPT_TEMPLATE) -> str:
        """The functions as a text for a model; the template may use $module_name, $functions, $function_names."""
        return Template(prompt_template).safe_substitute(
            module_name=self._functions_module,
            functions="\n\n".join(stub_of(function) for function in self._functions),
            function_names=", ".join(self.functions),
        )

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CommandLineCodeResult:
        """Run the blocks in order, up to the first that fails; their outputs are joined."""
        await self._prepare(cancellation_token)
        output, files = "", list[Path]()
        exit_code = 0
        try:
            for block in code_blocks:
                outcome = await self._run_block(block, files, cancellation_token)
                output += outcome.output
                exit_code = outcome.exit_code
                if exit_code != 0:
                    break
        finally:
            if self._cleanup_temp_files:
                await asyncio.to_thread(_remove_unnamed, files)
        return CommandLineCodeResult(exit_code=exit_code, output=output, code_file=str(files[0]) if files else None)

    async def start(self) -> None:
        """Make the work directory."""
        await asyncio.to_thread(self.work_dir.mkdir, parents=True, exist_ok=True)

    async def stop(self) -> None:
        """Remove the temporary work directory, if there is one."""
        temp_dir, self._temp_dir = self._temp_dir, None
        if temp_dir is not None:
            self._functions_ready = not self._functions
            await asyncio.to_thread(temp_dir.cleanup)

    async def restart(self) -> None:
        """Begin with an empty temporary work directory; a given one is left as it is."""
        await self.stop()
        await self.start()

    async def _run_block(
        self, block: CodeBlock, files: list[Path], cancellation_token: CancellationToken
    ) -> ProcessOutcome:
        try:
            file = code_file(block, self.work_dir, self._python)
        except ValueError as exc:
            return ProcessOutcome(exit_code=1, output=f"\n{exc}")
        await asyncio.to_thread(_write, file.path, file.text)
        files.append(file.path)
        return await self._run(list(file.argv), cancellation_token)

    async def _run(self, argv: list[str], cancellation_token: CancellationToken) -> ProcessOutcome:
        return await run_bounded(
            self._limits.command(await self._command(argv), self._timeout),
            cwd=self.work_dir,
            environment=self._process_environment(),
            timeout_seconds=self._timeout,
            output_bytes=self._limits.output_bytes,
            cancellation_token=cancellation_token,
        )

    async def _command(self, argv: list[str]) -> list[str]:
        """How a command is run; a subclass may put a wall around it."""
        return argv

    async def _prepare(self, cancellation_token: CancellationToken) -> None:
        async with self._preparing:
            await self.start()
            if self._functions_ready:
                return
            packages = [name for f in self._functions for name in getattr(f, "python_packages", ())]
            if packages:
                argv = [self._python, "-m", "pip", "install", "-q", *dict.fromkeys(packages)]
                outcome = await self._run(argv, cancellation_token)
                if outcome.exit_code != 0:
                    raise ValueError(f"the packages of the functions cannot be installed: {outcome.output}")
            path = self.work_dir / f"{self._functions_module}.py"
            await asyncio.to_thread(_write, path, module_source(self._functions))
            self._functions_ready = True

    @property
    def _python(self) -> str:
        return sys.executable if self._virtual_env is None else str(self._virtual_env.env_exe)

    def _process_environment(self) -> dict[str, str]:
        home = str(self.work_dir)
        bin_dir = str(Path(self._python).parent)
        return {
            "PATH": os.pathsep.join([bin_dir, "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": home,
            "TMPDIR": home,
            "LANG": "C.UTF-8",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": home,
            **self._environment,
        }

    def _to_config(self) -> LocalCommandLineCodeExecutorConfig:
        if self._functions:
            _log.info("the functions of a code executor are not part of its config")
        return LocalCommandLineCodeExecutorConfig(
            timeout=self._timeout,
            work_dir=None if self._work_dir is None else str(self._work_dir),
            functions_module=self._functions_module,
            cleanup_temp_files=self._cleanup_temp_files,
        )

    @classmethod
    def _from_config(cls, config: LocalCommandLineCodeExecutorConfig) -> Self:
        return cls(
            timeout=config.timeout,
            work_dir=config.work_dir,
            functions_module=config.functions_module,
            cleanup_temp_files=config.cleanup_temp_files,
        )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _remove_unnamed(files: Sequence[Path]) -> None:
    for path in files:
        if path.name.startswith("tmp_code_"):
            path.unlink(missing_ok=True)


def _name_of(
    function: FunctionWithRequirements[Any, Any] | Callable[..., Any] | FunctionWithRequirementsStr,
) -> str:
    if isinstance(function, FunctionWithRequirementsStr):
        return function.compiled_func.__name__
    target: Any = function.func if isinstance(function, FunctionWithRequirements) else function
    return str(target.__name__)
