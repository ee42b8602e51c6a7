"""Carrying everything unfinished over: nothing lost, nothing twice, nothing called again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from io import BytesIO

import pytest

from agentopic.adapters.blobs.memory import MemoryBlobs
from agentopic.adapters.clock import SystemClock
from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
from agentopic.adapters.transport.memory_log import MemoryLog
from agentopic.engine.carry_over import export_state, import_state
from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions
from agentopic.engine.standstill import standstill
from agentopic.engine.state_file import CarriedBlob, read_lines
from agentopic.errors import ConfigError, StateFileError, StillRunningError
from agentopic.ports.journal import PortableRow, StateChange
from agentopic.testing.journal_mesh import (
    GROUP,
    delivery,
    digest,
    done,
    intent,
    journal_mesh,
    output,
    result,
)

OPTIONS = EngineOptions(namespace="test", lease_seconds=0.5)


class Place:
    """A mesh in memory with its store, journal and blobs."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.journal = MemoryJournal(self.store)
        self.blobs = MemoryBlobs()
        log = MemoryLog()
        self.mesh = Mesh(
            transport=MemoryTransport(log),
            admin=MemoryAdmin(log),
            clock=SystemClock(),
            journal=self.journal,
            blobs=self.blobs,
        )


async def exported(place: Place) -> BytesIO:
    out = BytesIO()
    await export_state(place.mesh, OPTIONS, [GROUP], out)
    return out


async def lived(*, blob: str | None = None) -> MemoryStore:
    """A store that a process has left behind: a finished turn, a half-done one, and a stored delivery after it."""
    store = MemoryStore()
    async with journal_mesh(lambda: MemoryJournal(store)) as mesh:
        member = await mesh.join()
        first = (await member.intake(delivery("first"), free=1)).started[0]
        await member.commit(done(first, state=StateChange(expected=0, snapshot=b"{}"), outbox=[output("said")]))
        body = b"" if blob is None else json.dumps([["ce_agdatasha256", blob]]).encode()
        (second,) = (await member.intake(delivery("second", body=body), delivery("third"), free=1)).started
        await member.journal.open_steps(member.id, [intent(second, "called"), intent(second, "open")])
        await member.journal.close_steps(member.id, [result(second, "called", b"paid")])
        await member.journal.leave(member.id)
    return store


async def test_what_was_exported_is_imported_whole():
    source, target = Place(await lived()), Place()

    stored = await import_state(target.mesh, OPTIONS, await exported(source))
    again = await exported(target)

    assert stored > 0
    assert [each for each in read_lines(again) if isinstance(each, PortableRow) and each.table == "agent"]
    me = await target.journal.join([GROUP], "here")
    (second,) = await target.journal.take(me, {GROUP: 5})
    steps = {row.name: row.result for row in await target.journal.recorded(second.identity)}
    assert (second.identity, second.version) == (digest(GROUP, "k", "second"), 1)
    assert steps == {"called": b"paid", "open": None}
    assert [each.row for each in second.unsent] == [output("said")]


async def test_importing_again_stores_nothing():
    source, target = Place(await lived()), Place()
    file = await exported(source)

    await import_state(target.mesh, OPTIONS, file)

    assert await import_state(target.mesh, OPTIONS, file) == 0


async def test_what_was_finished_after_an_import_does_not_come_back_with_the_next():
    source, target = Place(await lived()), Place()
    file = await exported(source)
    await import_state(target.mesh, OPTIONS, file)
    me = await target.journal.join([GROUP], "here")
    (second,) = await target.journal.take(me, {GROUP: 5})
    committed = await target.journal.commit(me, [done(second)], second.unsent)
    await target.journal.commit(me, [done(committed.started[0])])
    await target.journal.leave(me)

    await import_state(target.mesh, OPTIONS, file)

    me = await target.journal.join([GROUP], "here")
    assert [each for each in await target.journal.take(me, {GROUP: 5}) if each.pos is not None or each.unsent] == []


async def test_exporting_changes_nothing():
    source = Place(await lived())

    first, second = await exported(source), await exported(source)

    assert first.getvalue() == second.getvalue()


async def test_large_payloads_go_along():
    blobs = MemoryBlobs()
    sha256 = await blobs.put(b"large")
    source, target = Place(await lived(blob=sha256)), Place()
    await source.blobs.put(b"large")
    await source.blobs.put(b"of nobody")

    file = await exported(source)
    await import_state(target.mesh, OPTIONS, file)

    assert [each for each in read_lines(file) if isinstance(each, CarriedBlob)] == [
        CarriedBlob(sha256=sha256, data=b"large")
    ]
    assert target.blobs.stored == {sha256: b"large"}


async def test_a_payload_that_is_gone_keeps_nobody_from_leaving():
    source = Place(await lived(blob="ab" * 32))

    assert not any(isinstance(each, CarriedBlob) for each in read_lines(await exported(source)))


async def test_a_file_of_another_namespace_is_refused_before_anything_is_stored():
    target = Place()

    with pytest.raises(StateFileError, match="namespace"):
        await import_state(target.mesh, EngineOptions(namespace="other"), await exported(Place(await lived())))
    assert target.store.lanes == {}


async def test_a_damaged_file_is_refused_before_anything_is_stored():
    target = Place()
    damaged = (await exported(Place(await lived()))).getvalue().replace(b'"name":"called"', b'"name":"calleD"')

    with pytest.raises(StateFileError, match="altered"):
        await import_state(target.mesh, OPTIONS, BytesIO(damaged))
    assert target.store.lanes == {}


async def test_a_mesh_without_a_journal_has_nothing_to_carry():
    place = Place()
    bare = Mesh(transport=place.mesh.transport, admin=place.mesh.admin, clock=SystemClock())

    with pytest.raises(ConfigError, match="AGENTOPIC_JOURNAL"):
        await export_state(bare, OPTIONS, [GROUP], BytesIO())


# ── standstill ─────────────────────────────────────────────────────────────────────────────────────────────


async def still(place: Place) -> None:
    async with standstill(place.journal, [GROUP], clock=SystemClock(), lease_seconds=OPTIONS.lease_seconds):
        pass


async def beating(place: Place, me: int, stop: asyncio.Event) -> None:
    async with place.journal.heart(me) as heart:
        while not stop.is_set():
            await heart.beat()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("call", [exported, lambda place: import_state(place.mesh, OPTIONS, place.file)])
async def test_a_living_process_is_told_apart_and_stops_it(call: Callable[..., object]):
    place = Place(await lived())
    place.file = await exported(place)  # pyright: ignore[reportAttributeAccessIssue]
    me = await place.journal.join([GROUP], "alive")
    stop = asyncio.Event()
    alive = asyncio.create_task(beating(place, me, stop))

    with pytest.raises(StillRunningError, match=GROUP):
        await call(place)  # pyright: ignore[reportGeneralTypeIssues]
    stop.set()
    await alive


async def test_a_process_that_died_without_leaving_is_buried_after_a_lease():
    place = Place()
    await place.journal.join([GROUP], "dead")

    await still(place)

    me = await place.journal.join([GROUP], "next")
    assert await place.journal.peers(me) == []


async def test_a_process_of_other_agent_types_does_not_matter():
    place = Place()
    await place.journal.join(["test.other"], "elsewhere")

    await still(place)
