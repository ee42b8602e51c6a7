"""The other systems of a comparison, as rounds."""

from __future__ import annotations

from collections.abc import Mapping

from agentopic.testing.server import free_port
from benchmarks._child import ORACLE, theirs
from benchmarks._rounds import Round

_AUTOGEN_MESSAGES = 3_000


def autogen_grpc() -> Mapping[str, Round]:
    """AutoGen 0.7.5's gRPC runtime, publish to handled; nothing when its environment is not there."""
    return (
        {"autogen grpc": lambda: theirs("_autogen_grpc_load", free_port(), _AUTOGEN_MESSAGES)}
        if ORACLE.exists()
        else {}
    )
