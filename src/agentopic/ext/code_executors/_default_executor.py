"""The most careful code executor this machine can offer."""

from __future__ import annotations

import warnings
from importlib.util import find_spec

from agentopic.core.code_executor import CodeExecutor


def create_default_code_executor(work_dir: str | None = None) -> CodeExecutor:
    """Docker where its engine answers, else a sandbox where bubblewrap works, else plain processes with a warning."""
    if find_spec("docker") is not None:
        from agentopic.ext.code_executors.docker import DockerCommandLineCodeExecutor, docker_answers

        if docker_answers():
            return DockerCommandLineCodeExecutor(work_dir=work_dir)
    from agentopic.ext.code_executors.local import LocalCommandLineCodeExecutor
    from agentopic.ext.code_executors.sandbox import SandboxCommandLineCodeExecutor, sandbox_works

    if sandbox_works():
        return SandboxCommandLineCodeExecutor(work_dir=work_dir)
    warnings.warn(
        "neither a Docker engine nor bubblewrap is at hand: generated code runs as plain processes of this user",
        stacklevel=2,
    )
    return LocalCommandLineCodeExecutor(work_dir=work_dir)
