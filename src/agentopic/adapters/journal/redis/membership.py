"""Processes: entering, beating, watching, burying, leaving."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from agentopic.adapters.journal.redis.batches import place
from agentopic.adapters.journal.redis.link import Link
from agentopic.adapters.journal.redis.options import RedisOptions
from agentopic.adapters.journal.redis.rows import stored_rows
from agentopic.adapters.journal.redis.words import Words
from agentopic.adapters.journal.text import check_text
from agentopic.ports.journal import Heart, Peer, StoredRow
from agentopic.ports.transport import TopicPartition


class RedisHeart:
    """The beat of one process, over a connection of its own."""

    def __init__(self, link: Link, me: int) -> None:
        self._link = link
        self._me = me

    async def beat(self) -> int:
        """Raise the beat and return it; errors as in the port."""
        return int(await self._link.run("beat", (self._me,)))


class RedisMembership:
    """The processes of the mesh and the partitions they lease."""

    def __init__(self, options: RedisOptions) -> None:
        self._options = options
        self._link = Link(options)

    async def join(self, groups: Sequence[str], address: str) -> int:
        """Enter a new process and return its id."""
        for group in groups:
            check_text("group", group)
        check_text("address", address)
        return int(await self._link.run("join", (address, len(groups), *groups)))

    @asynccontextmanager
    async def heart(self, me: int) -> AsyncGenerator[Heart]:
        """Open the beat of this process; to be used from a thread and event loop of its own."""
        link = Link(self._options)
        try:
            yield RedisHeart(link, me)
        finally:
            await link.aclose()

    async def peers(self, me: int) -> Sequence[Peer]:
        """Return the processes not dead and not this one."""
        found = await self._link.run("peers", me=me)
        return [
            Peer(id=number, groups=tuple(group.decode() for group in groups), beat=beat, gone=bool(gone))
            for number, beat, gone, groups in found
        ]

    async def bury(self, me: int, peer: Peer) -> Sequence[StoredRow]:
        """Declare a peer dead for ever, unless its beat has risen since it was read."""
        return stored_rows(await self._link.run("bury", (peer.id, peer.beat), me=me))

    async def leave(self, me: int) -> None:
        """End this process cleanly."""
        await self._link.run("leave", me=me)

    async def lease(
        self, me: int, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int | None]:
        """Hold this process's fair share of the partitions and return it with the watermarks."""
        wanted = sorted(set(partitions))
        check_text("group", group)
        for partition in wanted:
            check_text("topic", partition.topic)
        words = Words((group, len(wanted), *map(place, wanted)))
        leased = await self._link.run("lease", words, me=me)
        return {wanted[number - 1]: following for number, following in leased}
