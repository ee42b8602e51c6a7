"""Entering, watching, burying and leaving."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from agentopic.adapters.journal.postgres.failures import LOCK_NOT_AVAILABLE, sqlstate
from agentopic.adapters.journal.postgres.link import Link, Row
from agentopic.adapters.journal.postgres.options import PostgresOptions
from agentopic.adapters.journal.postgres.rows import stored_row
from agentopic.errors import JournalUnavailableError
from agentopic.ports.journal import Heart, Peer, StoredRow
from agentopic.ports.transport import TopicPartition

_END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = $1 AND datname = current_database() AND usename = current_user
"""


class PostgresHeart:
    """The beat of one process, on a connection of its own."""

    def __init__(self, link: Link, me: int) -> None:
        self._link = link
        self._me = me

    async def beat(self) -> int:
        """Raise the beat and return it."""
        ((raised,),) = await self._link.invoke("beat", self._me)
        return int(raised)


class PostgresMembership:
    """The membership part of the journal."""

    def __init__(self, options: PostgresOptions, link: Link) -> None:
        self._options = options
        self._link = link

    async def join(self, groups: Sequence[str], address: str) -> int:
        """Enter a new process and return its id; ids are never used twice."""
        (row,) = await self._link.call(
            "INSERT INTO process (groups, address) VALUES ($1, $2) RETURNING id", list(groups), address
        )
        me: int = row["id"]
        await self._link.name_session(self._session(me))
        return me

    @asynccontextmanager
    async def heart(self, me: int) -> AsyncGenerator[Heart]:
        """Open the beat of this process; to be used from a thread and event loop of its own."""
        link = Link(self._options)
        try:
            yield PostgresHeart(link, me)
        finally:
            await link.aclose()

    async def peers(self, me: int) -> Sequence[Peer]:
        """Return the processes not dead and not this one."""
        rows = await self._link.invoke("peers", me)
        return [Peer(id=peer, groups=tuple(groups), beat=beat, gone=gone) for peer, groups, beat, gone in rows]

    async def bury(self, me: int, peer: Peer) -> Sequence[StoredRow]:
        """Declare a peer dead for ever, unless its beat has risen since it was read; free what it held.

        A peer stopped while it was reading a result keeps its locks as long as its session lives: when the
        call has waited a second for them, the session is ended, which undoes what it had not committed.
        """
        try:
            rows = await self._bury(me, peer)
        except JournalUnavailableError as error:
            if sqlstate(error.__cause__ or error) != LOCK_NOT_AVAILABLE:
                raise
            await self._link.call(_END_SESSIONS, self._session(peer.id))
            rows = await self._bury(me, peer)
        return [stored_row(row) for row in rows]

    async def leave(self, me: int) -> None:
        """End this process cleanly: what it still holds becomes free at once, without counting a crash."""
        await self._link.invoke("leave", me)

    async def lease(
        self, me: int, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int | None]:
        """Hold this process's fair share of the partitions and return it with the watermarks."""
        wanted = sorted(set(partitions))
        rows = await self._link.invoke(
            "lease",
            me,
            group,
            [place.topic for place in wanted],
            [place.partition for place in wanted],
        )
        return {TopicPartition(row["topic"], row["partition"]): row["next"] for row in rows}

    async def _bury(self, me: int, peer: Peer) -> Sequence[Row]:
        return await self._link.invoke("bury", me, peer.id, peer.beat)

    def _session(self, process: int) -> str:
        return f"agentopic {self._options.schema} {process}"
