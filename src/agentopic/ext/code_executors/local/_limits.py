"""What one run of code may use at most."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionLimits:
    """Bounds of one run; exceeding one ends the run with a non-zero exit code, or cuts the output.

    They bound accidents, not attacks: the code runs as the same user and sees the same files and network. Code of
    strangers belongs into a container.
    """

    output_bytes: int = _MIB
    """Bytes of output that are kept; what follows is read and thrown away."""
    memory_bytes: int = 4096 * _MIB
    """Address space of each process."""
    cpu_seconds: int | None = None
    """Processor time of each process; None for the executor's time-out."""
    file_bytes: int = 256 * _MIB
    """Size of each file written."""

    def command(self, argv: list[str], timeout_seconds: int) -> list[str]:
        """A command that runs `argv` under these limits, by the shell's `ulimit`."""
        cpu = timeout_seconds if self.cpu_seconds is None else self.cpu_seconds
        script = (
            f"ulimit -c 0 && ulimit -t {cpu} && ulimit -v {self.memory_bytes // 1024} "
            f'&& ulimit -f {self.file_bytes // 512} && exec "$@"'
        )
        return ["/bin/sh", "-c", script, "sh", *argv]
