"""One container that waits for commands; blocking, to be called in threads."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import docker
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from agentopic.errors import CodeExecutorError, CodeExecutorUnavailableError

WORKSPACE = "/workspace"
_MIB = 1024 * 1024
_DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
_PING_SECONDS = 3
_STOP_SECONDS = 2

_RUN = """
file=$1 limit=$2; shift 2
{ sh -c 'echo $$ > "$0"; exec "$@"' "$file" "$@" 2>&1; echo $? > "$file.code"; } |
{ head -c "$limit"; cat > /dev/null; }
exit "$(cat "$file.code")"
"""
"""Runs a command, leaves its process id in a file, and passes on no more of its output than the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLimits:
    """What the code in one container may use at most."""

    output_bytes: int = _MIB
    """Of one run; what follows is read and thrown away."""
    memory_bytes: int = 4096 * _MIB
    processes: int = 512
    network: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """What container is made."""

    image: str
    name: str
    volumes: Mapping[str, Mapping[str, str]]
    extra_hosts: Mapping[str, str]
    auto_remove: bool
    device_requests: Sequence[Any] | None
    init_command: str | None
    limits: ContainerLimits = field(default_factory=ContainerLimits)


def docker_answers() -> bool:
    """Whether a Docker engine answers at the address the environment names (DOCKER_HOST)."""
    try:
        client = _client(_PING_SECONDS)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, RequestException, OSError):
        return False


class Container:
    """A started container."""

    def __init__(self, client: Any, container: Any, spec: ContainerSpec) -> None:
        self._client = client
        self._container = container
        self._spec = spec

    @classmethod
    def start(cls, spec: ContainerSpec, *, timeout_seconds: int) -> Container:
        """Pull the image if it is not there, make the container and start it.

        Raises:
            CodeExecutorError: the engine refuses.
            CodeExecutorUnavailableError: no Docker engine answers.
        """
        try:
            client = _client(timeout_seconds)
        except (DockerException, RequestException, OSError) as exc:
            raise CodeExecutorUnavailableError(f"no Docker engine answers: {exc}") from exc
        try:
            return cls(client, _made(client, spec), spec)
        except BaseException:
            client.close()
            raise

    def run(self, argv: Sequence[str], on_begin: Callable[[str], None] | None = None) -> tuple[int, bytes, bool]:
        """Run a command to its end: exit code, output (both streams), and whether that was cut.

        `on_begin` is told the file in which the command leaves its process id, to kill it by.

        Raises:
            CodeExecutorError: the engine or the container has gone.
        """
        pid_file = f"/tmp/agentopic-{uuid.uuid4().hex}.pid"  # noqa: S108 - inside the container
        if on_begin is not None:
            on_begin(pid_file)
        limit = self._spec.limits.output_bytes
        command = ["/bin/sh", "-c", _RUN, "sh", pid_file, str(limit + 1), *argv]
        with _told("the command cannot be run"):
            made = self._client.api.exec_create(self._container.id, command, workdir=WORKSPACE)
            output = cast("bytes", self._client.api.exec_start(made["Id"]))
            exit_code = self._client.api.exec_inspect(made["Id"])["ExitCode"]
        return int(exit_code if exit_code is not None else -1), output[:limit], len(output) > limit

    def kill(self, pid_file: str) -> None:
        """End a running command and what it started.

        Raises:
            CodeExecutorError: the engine or the container has gone.
        """
        script = f'p=$(cat {pid_file}) && kill -TERM "$p" && sleep 2; kill -KILL "$p"'
        with _told("the command cannot be ended"):
            made = self._client.api.exec_create(self._container.id, ["/bin/sh", "-c", script])
            self._client.api.exec_start(made["Id"], detach=True)

    def stop(self) -> None:
        """Stop the container; it may have gone already.

        Raises:
            CodeExecutorError: the engine does not answer.
        """
        with _told("the container cannot be stopped"):
            try:
                self._container.stop(timeout=_STOP_SECONDS)
            except NotFound:
                return

    def close(self) -> None:
        """Close the connection to the engine."""
        self._client.close()


def _client(timeout_seconds: int) -> Any:
    address = str(kwargs_from_env().get("base_url", _DEFAULT_ADDRESS))
    if address.startswith("unix://"):
        _knock(address.removeprefix("unix://"))
    return cast("Any", docker).from_env(timeout=timeout_seconds)


def _knock(path: str) -> None:
    """Raise the OSError of a dead socket before the SDK does, which would leave its own end open."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.connect(path)


def _made(client: Any, spec: ContainerSpec) -> Any:
    try:
        client.ping()
    except (DockerException, RequestException, OSError) as exc:
        raise CodeExecutorUnavailableError(f"no Docker engine answers: {exc}") from exc
    with _told(f"a container of image {spec.image!r} cannot be started"):
        try:
            client.images.get(spec.image)
        except ImageNotFound:
            client.images.pull(spec.image)
        container = client.containers.create(spec.image, **_arguments(spec))
        container.start()
    return container


def _arguments(spec: ContainerSpec) -> dict[str, Any]:
    waiting = 'trap "exit 0" TERM; while :; do sleep 1; done'
    before = f"{spec.init_command}; " if spec.init_command else ""
    return {
        "name": spec.name,
        "entrypoint": "/bin/sh",
        "command": ["-c", f"{before}{waiting}"],
        "tty": False,
        "detach": True,
        "auto_remove": spec.auto_remove,
        "volumes": {host: dict(mount) for host, mount in spec.volumes.items()},
        "working_dir": WORKSPACE,
        "extra_hosts": dict(spec.extra_hosts),
        "device_requests": None if spec.device_requests is None else list(spec.device_requests),
        "mem_limit": spec.limits.memory_bytes,
        "pids_limit": spec.limits.processes,
        "network_disabled": not spec.limits.network,
        "security_opt": ["no-new-privileges"],
    }


@contextmanager
def _told(what: str) -> Generator[None]:
    try:
        yield
    except (DockerException, RequestException, OSError) as exc:
        raise CodeExecutorError(f"{what}: {exc}") from exc
