"""`DockerCommandLineCodeExecutor`: runs code blocks in a container."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
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
from agentopic.errors import CodeExecutorError
from agentopic.ext.code_executors._command_line_result import CommandLineCodeResult
from agentopic.ext.code_executors.docker._container import WORKSPACE, Container, ContainerLimits, ContainerSpec
from agentopic.ext.code_executors.local import LocalCommandLineCodeExecutor
from agentopic.ext.code_executors.local._code_file import code_file

_log = logging.getLogger(TRACE_LOGGER_NAME)
_ENGINE_SECONDS = 600
"""For one call of the engine; pulling an image takes long."""
TIMEOUT_EXIT_CODE = 124
CANCELLED_EXIT_CODE = 125


class DockerCommandLineCodeExecutorConfig(BaseModel):
    """Config of DockerCommandLineCodeExecutor; functions, devices and limits are not part of it."""

    image: str = "python:3-slim"
    container_name: str | None = None
    timeout: int = 60
    work_dir: str | None = None
    bind_dir: str | None = None
    auto_remove: bool = True
    stop_container: bool = True
    functions_module: str = "functions"
    extra_volumes: dict[str, dict[str, str]] = {}
    extra_hosts: dict[str, str] = {}
    init_command: str | None = None
    delete_tmp_files: bool = False


class DockerCommandLineCodeExecutor(CodeExecutor, Component[DockerCommandLineCodeExecutorConfig]):
    """Writes each block to a file of its work directory and runs it in a container that has it at `/workspace`.

    Exit code 124 means that `timeout` seconds passed, 125 that the run was cancelled. Nothing of this process's
    environment reaches the container. Without a `work_dir` a temporary directory is made, and removed by `stop`.
    `bind_dir` is the work directory as the engine sees it, where that is another path. `start` comes first.

    Raises:
        CodeExecutorUnavailableError: (from `start`) no Docker engine answers.
        CodeExecutorError: not started, or the engine fails.
    """

    component_config_schema = DockerCommandLineCodeExecutorConfig
    component_provider_override = "autogen_ext.code_executors.docker.DockerCommandLineCodeExecutor"

    SUPPORTED_LANGUAGES: ClassVar[list[str]] = LocalCommandLineCodeExecutor.SUPPORTED_LANGUAGES
    FUNCTION_PROMPT_TEMPLATE: ClassVar[str] = LocalCommandLineCodeExecutor.FUNCTION_PROMPT_TEMPLATE

    def __init__(
        self,
        image: str = "python:3-slim",
        container_name: str | None = None,
        *,
        timeout: int = 60,
        work_dir: Path | str | None = None,
        bind_dir: Path | str | None = None,
        auto_remove: bool = True,
        stop_container: bool = True,
        device_requests: list[Any] | None = None,
        functions: Sequence[FunctionWithRequirements[Any, Any] | Callable[..., Any] | FunctionWithRequirementsStr] = [],
        functions_module: str = "functions",
        extra_volumes: dict[str, dict[str, str]] | None = None,
        extra_hosts: dict[str, str] | None = None,
        init_command: str | None = None,
        delete_tmp_files: bool = False,
        limits: ContainerLimits | None = None,
    ) -> None:
        if timeout < 1:
            raise ValueError("Timeout must be greater than or equal to 1.")
        if not functions_module.isidentifier():
            raise ValueError("Module name must be a valid Python identifier")
        self._config = DockerCommandLineCodeExecutorConfig(
            image=image,
            container_name=container_name,
            timeout=timeout,
            work_dir=None if work_dir is None else str(work_dir),
            bind_dir=None if bind_dir is None else str(bind_dir),
            auto_remove=auto_remove,
            stop_container=stop_container,
            functions_module=functions_module,
            extra_volumes=extra_volumes or {},
            extra_hosts=extra_hosts or {},
            init_command=init_command,
            delete_tmp_files=delete_tmp_files,
        )
        self.container_name = container_name or f"agentopic-code-{uuid.uuid4()}"
        self._device_requests = device_requests
        self._functions = functions
        self._limits = limits or ContainerLimits()
        self._temp_dir: tempfile.TemporaryDirectory[str] | None = None
        self._container: Container | None = None
        self._functions_ready = not functions

    @property
    def timeout(self) -> int:
        """Seconds one block may take."""
        return self._config.timeout

    @property
    def work_dir(self) -> Path:
        """Where code is written; the temporary directory is made by the first use."""
        if self._config.work_dir is not None:
            return Path(self._config.work_dir)
        if self._temp_dir is None:
            self._temp_dir = tempfile.TemporaryDirectory(prefix="agentopic-code-")
        return Path(self._temp_dir.name)

    @property
    def bind_dir(self) -> Path:
        """The work directory as the engine sees it."""
        return self.work_dir if self._config.bind_dir is None else Path(self._config.bind_dir)

    async def start(self) -> None:
        """Make the work directory, pull the image if needed, and start the container."""
        if self._container is not None:
            return
        await asyncio.to_thread(self.work_dir.mkdir, parents=True, exist_ok=True)
        try:
            self._container = await asyncio.to_thread(Container.start, self._spec(), timeout_seconds=_ENGINE_SECONDS)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the container, if it is to be stopped, and remove the temporary work directory; idempotent."""
        container, self._container = self._container, None
        if container is not None:
            try:
                if self._config.stop_container:
                    await asyncio.to_thread(container.stop)
            finally:
                await asyncio.to_thread(container.close)
        temp_dir, self._temp_dir = self._temp_dir, None
        if temp_dir is not None:
            self._functions_ready = not self._functions
            await asyncio.to_thread(temp_dir.cleanup)

    async def restart(self) -> None:
        """Begin with a new container."""
        await self.stop()
        await self.start()

    async def execute_code_blocks(
        self, code_blocks: list[CodeBlock], cancellation_token: CancellationToken
    ) -> CommandLineCodeResult:
        """Run the blocks in order, up to the first that fails; their outputs are joined."""
        container = self._started()
        await self._prepare(container, cancellation_token)
        output, files, exit_code = "", list[Path](), 0
        try:
            for block in code_blocks:
                exit_code, text = await self._run_block(container, block, files, cancellation_token)
                output += text
                if exit_code != 0:
                    break
        finally:
            if self._config.delete_tmp_files:
                await asyncio.to_thread(_remove_unnamed, files)
        return CommandLineCodeResult(exit_code=exit_code, output=output, code_file=str(files[0]) if files else None)

    async def _run_block(
        self, container: Container, block: CodeBlock, files: list[Path], cancellation_token: CancellationToken
    ) -> tuple[int, str]:
        try:
            file = code_file(block, self.work_dir, "python")
        except ValueError as exc:
            return 1, f"\n{exc}"
        await asyncio.to_thread(_write, file.path, file.text)
        files.append(file.path)
        inside = PurePosixPath(WORKSPACE) / file.path.relative_to(self.work_dir.resolve()).as_posix()
        return await self._run(container, [*file.argv[:-1], str(inside)], cancellation_token)

    async def _run(
        self, container: Container, argv: Sequence[str], cancellation_token: CancellationToken
    ) -> tuple[int, str]:
        """Run a command in a thread, which also a cancelled run is waited for: it ends soon after its kill."""
        pid_files = list[str]()
        bounded = ["timeout", "-k", "1", str(self.timeout), *argv]
        running = asyncio.ensure_future(asyncio.to_thread(container.run, bounded, pid_files.append))
        waiting = asyncio.ensure_future(asyncio.shield(running))
        cancellation_token.link_future(waiting)
        try:
            await asyncio.wait([waiting])
        finally:
            if not running.done():
                await asyncio.shield(_ended(container, pid_files, running))
        exit_code, output, cut = running.result()
        text = output.decode("utf-8", errors="replace")
        if cut:
            text += f"\n[output cut after {self._limits.output_bytes} bytes]"
        if waiting.cancelled():
            return CANCELLED_EXIT_CODE, f"{text}\nCancelled"
        return exit_code, f"{text}\nTimeout" if exit_code == TIMEOUT_EXIT_CODE else text

    async def _prepare(self, container: Container, cancellation_token: CancellationToken) -> None:
        if self._functions_ready:
            return
        packages = [name for f in self._functions for name in getattr(f, "python_packages", ())]
        if packages:
            argv = ["python", "-m", "pip", "install", "-q", *dict.fromkeys(packages)]
            exit_code, output = await self._run(container, argv, cancellation_token)
            if exit_code != 0:
                raise ValueError(f"the packages of the functions cannot be installed: {output}")
        path = self.work_dir / f"{self._config.functions_module}.py"
        await asyncio.to_thread(_write, path, module_source(self._functions))
        self._functions_ready = True

    def _started(self) -> Container:
        if self._container is None:
            raise CodeExecutorError("the container is not running: call start() first, or use 'async with'")
        return self._container

    def _spec(self) -> ContainerSpec:
        config = self._config
        return ContainerSpec(
            image=config.image,
            name=self.container_name,
            volumes={str(self.bind_dir.resolve()): {"bind": WORKSPACE, "mode": "rw"}, **config.extra_volumes},
            extra_hosts=config.extra_hosts,
            auto_remove=config.auto_remove,
            device_requests=self._device_requests,
            init_command=config.init_command,
            limits=self._limits,
        )

    def _to_config(self) -> DockerCommandLineCodeExecutorConfig:
        if self._functions:
            _log.info("the functions of a code executor are not part of its config")
        return self._config.model_copy()

    @classmethod
    def _from_config(cls, config: DockerCommandLineCodeExecutorConfig) -> Self:
        return cls(**dict(config))


async def _ended(container: Container, pid_files: Sequence[str], running: asyncio.Future[Any]) -> None:
    for pid_file in pid_files:
        await asyncio.to_thread(container.kill, pid_file)
    await asyncio.wait([running])


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _remove_unnamed(files: Sequence[Path]) -> None:
    for path in files:
        if path.name.startswith("tmp_code_"):
            path.unlink(missing_ok=True)
