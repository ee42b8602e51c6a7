"""Mesh names: what a process-lived agent is called outside of its process, and where that process hears."""

from __future__ import annotations

import re
import zlib
from typing import Final, NamedTuple

from agentopic.envelope.kafka_topics import replies
from agentopic.ports.journal import ReplyAddress

_NAME: Final = re.compile(r"(.+)\.p-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class MeshName(NamedTuple):
    """The parts of a mesh name."""

    agent_type: str
    """What the agents of this type are called inside of their process."""
    process: str
    """Id of the process they live with: fresh with each start of its runtime."""


def mesh_type(agent_type: str, process: str) -> str:
    """Return what an agent type that lives with a process is called everywhere else."""
    return f"{agent_type}.p-{process}"


def parse_mesh_type(agent_type: str) -> MeshName | None:
    """Return the parts of an agent type that `mesh_type` named; None for the type of a service."""
    found = _NAME.fullmatch(agent_type)
    return None if found is None else MeshName(found[1], found[2])


def place_of(namespace: str, process: str, partitions: int) -> ReplyAddress:
    """Return the partition of the replies topic in which a process hears, of so many partitions."""
    return ReplyAddress(replies(namespace), zlib.crc32(process.encode()) % partitions)
