"""Running generated code in a container, as in `autogen_ext.code_executors.docker`."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("docker") is None:
    raise MissingExtraError("agentopic.ext.code_executors.docker", "docker")

from agentopic.ext.code_executors._command_line_result import CommandLineCodeResult
from agentopic.ext.code_executors.docker._container import ContainerLimits, docker_answers
from agentopic.ext.code_executors.docker._docker_executor import (
    DockerCommandLineCodeExecutor,
    DockerCommandLineCodeExecutorConfig,
)

__all__ = [
    "CommandLineCodeResult",
    "ContainerLimits",
    "DockerCommandLineCodeExecutor",
    "DockerCommandLineCodeExecutorConfig",
    "docker_answers",
]
