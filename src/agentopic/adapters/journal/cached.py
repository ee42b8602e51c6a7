"""A journal whose agent states are read from a faster store where that has the version the journal names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Any, Protocol, cast

from agentopic.ports.journal import (
    AgentState,
    Committed,
    Finish,
    Holdings,
    IntakeBatch,
    Intaken,
    Journal,
    Started,
    StoredRow,
    TurnDone,
)

_HEAD = Struct(">qqI")
_LENGTH = Struct(">I")


class Snapshots(Protocol):
    """A store beside the journal that may forget anything at any time and never raises."""

    async def get(self, lane: bytes) -> bytes | None:
        """Return what was put last; None when it is forgotten or the store does not answer."""
        ...

    async def put(self, lanes: Mapping[bytes, bytes | None]) -> None:
        """Keep values, or (None) forget them, as far as the store answers."""
        ...

    async def aclose(self) -> None:
        """Disconnect; idempotent."""
        ...


def cached(journal: Journal, snapshots: Snapshots) -> Journal:
    """Return the journal with a cache of states in front of it.

    The journal's row is the truth: an entry carries its version and is used only when that is the one the journal
    returned as it started the lane, which nobody else can commit to meanwhile. It is written after the commit.
    """
    return cast("Journal", _CachedJournal(journal, snapshots))


class _CachedJournal:
    """Passes every call on and remembers the versions of the lanes that were started by it."""

    def __init__(self, journal: Journal, snapshots: Snapshots) -> None:
        self._journal = journal
        self._snapshots = snapshots
        self._versions: dict[bytes, int] = {}
        self._puts: set[asyncio.Task[None]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def join(self, groups: Sequence[str], address: str) -> int:
        self._versions.clear()
        return await self._journal.join(groups, address)

    async def intake(self, me: int, batch: IntakeBatch) -> Intaken:
        taken = await self._journal.intake(me, batch)
        self._note(taken.started)
        return taken

    async def take(self, me: int, free: Mapping[str, int]) -> Sequence[Started]:
        started = await self._journal.take(me, free)
        self._note(started)
        return started

    async def held(self, me: int) -> Holdings:
        holdings = await self._journal.held(me)
        self._versions.clear()
        self._note(holdings.lanes)
        return holdings

    async def commit(self, me: int, turns: Sequence[Finish], sent: Sequence[StoredRow] = ()) -> Committed:
        committed = await self._journal.commit(me, turns, sent)
        for turn in turns:
            self._versions.pop(turn.lane, None)
        self._note(committed.started)
        changed = {
            turn.lane: _packed_change(turn)
            for turn in turns
            if isinstance(turn, TurnDone) and turn.state is not None and turn.lane not in committed.lost
        }
        if changed:
            self._put(changed)
        return committed

    async def load(self, lane: bytes) -> AgentState | None:
        version = self._versions.get(lane)
        packed = None if not version else await self._snapshots.get(lane)
        state = None if packed is None else unpack_state(packed)
        if state is not None and state.version == version:
            return state
        state = await self._journal.load(lane)
        if version and state is not None:
            self._put({lane: pack_state(state)})
        return state

    async def aclose(self) -> None:
        if self._puts:
            await asyncio.wait(self._puts)
        await self._snapshots.aclose()
        await self._journal.aclose()

    def _put(self, changed: Mapping[bytes, bytes | None]) -> None:
        """Write beside the caller: of two that cross, the older one left behind is of no use and does no harm."""
        task = asyncio.create_task(self._snapshots.put(changed))
        self._puts.add(task)
        task.add_done_callback(self._puts.discard)

    def _note(self, lanes: Iterable[Started]) -> None:
        self._versions.update((lane.lane, lane.version) for lane in lanes if lane.pos is not None)


def _packed_change(turn: TurnDone) -> bytes | None:
    """Return the state a commit has made, None when it has only added events: the whole is not known here."""
    change = turn.state
    if change is None or change.snapshot is None:
        return None
    return pack_state(AgentState(version=change.version, snapshot=change.snapshot))


def pack_state(state: AgentState) -> bytes:
    """Return a state as bytes."""
    snapshot = state.snapshot
    head = _HEAD.pack(state.version, -1 if snapshot is None else len(snapshot), len(state.events))
    events = (part for event in state.events for part in (_LENGTH.pack(len(event)), event))
    return b"".join((head, snapshot or b"", *events))


def unpack_state(packed: bytes) -> AgentState:
    """Return what `pack_state` was given."""
    version, length, count = _HEAD.unpack_from(packed)
    start = _HEAD.size + max(length, 0)
    snapshot = None if length < 0 else packed[_HEAD.size : start]
    events: list[bytes] = []
    for _ in range(count):
        (size,) = _LENGTH.unpack_from(packed, start)
        start += _LENGTH.size
        events.append(packed[start : start + size])
        start += size
    return AgentState(version=version, snapshot=snapshot, events=tuple(events))
