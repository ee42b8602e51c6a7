"""`SandboxCommandLineCodeExecutor`: the local executor behind a wall."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from agentopic.core.code_executor import FunctionWithRequirements, FunctionWithRequirementsStr
from agentopic.errors import CodeExecutorUnavailableError
from agentopic.ext.code_executors.local import ExecutionLimits, LocalCommandLineCodeExecutor
from agentopic.ext.code_executors.local._local_executor import LocalCommandLineCodeExecutorConfig
from agentopic.ext.code_executors.sandbox._bubblewrap import sandbox_works, walled


class SandboxConfig(LocalCommandLineCodeExecutorConfig):
    """Config of SandboxCommandLineCodeExecutor."""

    network: bool = False


class SandboxCommandLineCodeExecutor(LocalCommandLineCodeExecutor):
    """Runs code in namespaces of its own: no network, no other processes, no files but the system's and its own.

    The system is visible read-only, the work directory alone is writable, and everything ends with this process.
    `network=True` gives it the network of this machine, needed to install the packages of functions.
    """

    component_config_schema = SandboxConfig  # pyright: ignore[reportAssignmentType] - a config with more fields
    component_provider_override = "agentopic.ext.code_executors.sandbox.SandboxCommandLineCodeExecutor"

    def __init__(  # noqa: PLR0917 - the signature of its base
        self,
        timeout: int = 60,
        work_dir: Path | str | None = None,
        functions: Sequence[FunctionWithRequirements[Any, Any] | Callable[..., Any] | FunctionWithRequirementsStr] = [],
        functions_module: str = "functions",
        cleanup_temp_files: bool = True,
        virtual_env_context: SimpleNamespace | None = None,
        *,
        network: bool = False,
        limits: ExecutionLimits | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            timeout,
            work_dir,
            functions,
            functions_module,
            cleanup_temp_files,
            virtual_env_context,
            limits=limits,
            environment=environment,
        )
        self._network = network

    async def start(self) -> None:
        """Make the work directory.

        Raises:
            CodeExecutorUnavailableError: bubblewrap is not installed, or may not build its wall here.
        """
        if not await asyncio.to_thread(sandbox_works):
            raise CodeExecutorUnavailableError(
                "the sandbox needs bubblewrap (bwrap) and unprivileged user namespaces; one of them is missing here"
            )
        await super().start()

    async def _command(self, argv: list[str]) -> list[str]:
        work_dir = self.work_dir.resolve()
        return walled(argv, work_dir=work_dir, python=self._python, network=self._network)

    def _to_config(self) -> SandboxConfig:
        return SandboxConfig(**super()._to_config().model_dump(), network=self._network)

    @classmethod
    def _from_config(cls, config: LocalCommandLineCodeExecutorConfig) -> Self:
        return cls(
            timeout=config.timeout,
            work_dir=config.work_dir,
            functions_module=config.functions_module,
            cleanup_temp_files=config.cleanup_temp_files,
            network=isinstance(config, SandboxConfig) and config.network,
        )
