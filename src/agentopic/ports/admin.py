"""The admin port: which topics exist, creating them, and how far they reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from agentopic.ports.transport import TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic as it shall be created. Partitions are fixed at creation: adding some moves keys."""

    name: str
    partitions: int = 8
    replication: int = 1
    config: Mapping[str, str] = field(default_factory=dict[str, str])


class OffsetRange(NamedTuple):
    """What a partition holds: `beginning` is the first offset, `end` the one the next record will get."""

    beginning: int
    end: int


class TopicAdmin(Protocol):
    """Topic administration of one broker."""

    async def topics(self) -> Mapping[str, int]:
        """Return every topic's name with its number of partitions."""
        ...

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        """Create the topics that do not exist; one that exists is left as it is. Visible to `topics` on return."""
        ...

    async def offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, OffsetRange]:
        """Return what each partition holds now. A partition that does not exist is left out."""
        ...

    async def committed(self, group: str, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offsets committed under a group's name; a partition without one is left out."""
        ...

    async def aclose(self) -> None:
        """Disconnect; idempotent."""
        ...
