"""Membership: which processes live, by beats that others watch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from agentopic.ports.journal.outbox import StoredRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another process as the journal shows it."""

    id: int
    groups: tuple[str, ...]
    beat: int
    """Rises while the process lives. Only its change over the observer's own clock means anything."""
    gone: bool = False
    """The store itself proves that the process has ended (SQLite: the kernel freed its file lock)."""


class Heart(Protocol):
    """Raises the beat of one process over a connection of its own."""

    async def beat(self) -> int:
        """Raise the beat and return it: it only ever rises, unless the journal has lost its last moments.

        Raises:
            ProcessBuriedError: the process has been declared dead.
            JournalUnavailableError: the journal does not answer; the beat may or may not have been raised.
        """
        ...


class Membership(Protocol):
    """The processes of the mesh (journal.md rule 3)."""

    async def join(self, groups: Sequence[str], address: str) -> int:
        """Enter a new process and return its id; ids are never used twice.

        `address` is where a wake reaches it; whoever leaves a notice for it is told.
        """
        ...

    def heart(self, me: int) -> AbstractAsyncContextManager[Heart]:
        """Open the beat of this process; to be used from a thread and event loop of its own."""
        ...

    async def peers(self, me: int) -> Sequence[Peer]:
        """Return the processes not dead and not this one.

        Raises:
            ProcessBuriedError: this process has been declared dead.
        """
        ...

    async def bury(self, me: int, peer: Peer) -> Sequence[StoredRow]:
        """Declare a peer dead for ever, unless its beat has risen since it was read; free what it held.

        In one transaction: crashes + 1 on each delivery it was running, its lanes become free and ready, its
        partitions free. A turn is suspended, not running, when steps of the waiting kinds (`request`, `timer`,
        `human`) are open in it and no others, and it has not gone on since it last announced one: no crash is
        counted; it is ready at once like all others, since what else it was about to do nobody else knows. A turn goes
        on from its start and from each first result of a waiting kind that is stored with its lane, until `open_steps`
        is called for a step of a waiting kind that has no result. Parked lanes belong to no process and stay as they
        are. Its process-owned outbox rows pass to this process and are returned. A peer that is already dead, or alive
        after all, returns no rows.
        """
        ...

    async def leave(self, me: int) -> None:
        """End this process cleanly: what it still holds becomes free as with `bury`, without counting a crash."""
        ...
