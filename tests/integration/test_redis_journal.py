"""The Redis journal on a real server: which servers it refuses, what it survives, and the cache of states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

import pytest
from redis.asyncio import Redis

from agentopic.adapters.journal.cached import cached
from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore
from agentopic.adapters.journal.redis import RedisJournal, RedisOptions
from agentopic.adapters.journal.redis.snapshots import RedisSnapshots
from agentopic.errors import ConfigError, JournalUnavailableError, UnreachableError
from agentopic.ports.journal import AgentState, Journal, ReplyAddress, StateChange
from agentopic.testing import RedisServer
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    JournalMesh,
    Member,
    Watermarks,
    answer,
    delivery,
    digest,
    done,
    intent,
    journal_mesh,
    output,
    result,
)

pytestmark = pytest.mark.redis


def journal_at(server: RedisServer, *, command_seconds: float = 30.0) -> RedisJournal:
    return RedisJournal(RedisOptions(url=server.url, start_seconds=5.0, command_seconds=command_seconds))


async def refusal(journal: RedisJournal) -> str:
    try:
        with pytest.raises(ConfigError) as raised:
            await journal.start()
    finally:
        await journal.aclose()
    return str(raised.value)


async def configure(server: RedisServer, *settings: str) -> None:
    async with Redis.from_url(server.url) as client:
        await client.execute_command("CONFIG", "SET", *settings)


@pytest.fixture
async def mesh(redis_server: RedisServer) -> AsyncIterator[JournalMesh]:
    async with journal_mesh(lambda: journal_at(redis_server)) as opened:
        yield opened


# ── servers that may lose what they have acknowledged ──────────────────────────────────────────────────────


async def test_a_server_that_keeps_nothing_is_refused_with_the_remedy():
    async with RedisServer() as server:
        said = await refusal(journal_at(server))

    assert "appendonly no" in said
    assert "set `appendonly yes` in redis.conf" in said


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("appendfsync", "everysec", "set `appendfsync always`"),
        ("no-appendfsync-on-rewrite", "yes", "set `no-appendfsync-on-rewrite no`"),
    ],
)
async def test_a_server_that_acknowledges_too_early_is_refused(
    redis_server: RedisServer, setting: str, value: str, remedy: str
):
    await configure(redis_server, setting, value)

    assert remedy in await refusal(journal_at(redis_server))


async def test_a_server_that_forgets_keys_when_memory_is_short_is_refused(redis_server: RedisServer):
    await configure(redis_server, "maxmemory", "100mb")
    await configure(redis_server, "maxmemory-policy", "allkeys-lru")

    assert "maxmemory-policy noeviction" in await refusal(journal_at(redis_server))


async def test_a_replica_is_refused_and_its_primary_named(redis_server: RedisServer):
    async with RedisServer(append_only=True) as replica:
        async with Redis.from_url(replica.url) as client:
            await client.execute_command("REPLICAOF", "127.0.0.1", str(redis_server.port))

        said = await refusal(journal_at(replica))

    assert "is a replica" in said
    assert f"127.0.0.1:{redis_server.port}" in said


async def test_a_server_that_does_not_tell_how_it_stores_is_refused(redis_server: RedisServer):
    async with Redis.from_url(redis_server.url) as client:
        await client.execute_command("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-config")
    options = RedisOptions(url=redis_server.url.replace("://", "://app:secret@"))

    said = await refusal(RedisJournal(options))

    assert "does not tell how it stores" in said
    assert "secret" not in said


async def test_a_wrong_login_is_refused(redis_server: RedisServer):
    options = RedisOptions(url=redis_server.url.replace("://", "://nobody:secret@"))

    said = await refusal(RedisJournal(options))

    assert "secret" not in said


async def test_a_journal_of_a_newer_program_is_refused(redis_server: RedisServer):
    async with Redis.from_url(redis_server.url) as client:
        await client.set("{agentopic}:version", 99)

    assert "has version 99" in await refusal(journal_at(redis_server))


async def test_no_server_at_all_is_unreachable(redis_server: RedisServer):
    redis_server.kill()
    journal = RedisJournal(RedisOptions(url=redis_server.url, start_seconds=0.5))

    with pytest.raises(UnreachableError):
        await journal.start()
    await journal.aclose()


@pytest.mark.parametrize("options", [{"url": "http://here"}, {"url": "redis://here", "space": "a{b}"}])
def test_options_that_cannot_work_are_refused(options: dict[str, str]):
    with pytest.raises(ConfigError):
        RedisOptions(**options)  # pyright: ignore[reportArgumentType] - parametrized


# ── crashes and changes of the server ──────────────────────────────────────────────────────────────────────


async def test_what_was_acknowledged_outlives_a_kill_of_the_server(redis_server: RedisServer, mesh: JournalMesh):
    member = await mesh.join()
    (lane,) = await member.run(delivery("a"), delivery("b"))
    await member.commit(done(lane, state=StateChange(expected=0, snapshot=b"s"), outbox=[output("x")], hand_back=True))
    redis_server.kill()
    with pytest.raises(JournalUnavailableError):
        await member.journal.backlog([GROUP])

    await asyncio.to_thread(redis_server.restart)

    (held,) = (await member.journal.held(member.id)).lanes
    assert [row.row for row in held.unsent] == [output("x")]
    assert await member.journal.load(lane.lane) == AgentState(version=1, snapshot=b"s")
    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 1


async def test_a_server_that_has_become_a_replica_stores_nothing(redis_server: RedisServer, mesh: JournalMesh):
    member = await mesh.join()
    async with Redis.from_url(redis_server.url) as client:
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")

        with pytest.raises(JournalUnavailableError, match="has become a replica"):
            await member.intake(delivery("a"))

        await client.execute_command("REPLICAOF", "NO", "ONE")
    assert len(await member.run(delivery("a"))) == 1


async def test_a_server_that_comes_back_less_safe_is_not_written_to(redis_server: RedisServer, mesh: JournalMesh):
    member = await mesh.join()
    await configure(redis_server, "appendfsync", "no")
    async with Redis.from_url(redis_server.url) as client:
        await client.execute_command("CLIENT", "KILL", "TYPE", "normal")

    assert "appendfsync always" in await until_refused(member)

    await configure(redis_server, "appendfsync", "always")
    assert len(await member.run(delivery("a"))) == 1


async def until_refused(member: Member) -> str:
    """Call until the answer is no lost connection; return what it says."""
    while True:
        with pytest.raises(JournalUnavailableError) as raised:
            await member.intake(delivery("a"))
        if "is unknown" not in str(raised.value):
            return str(raised.value)


async def test_a_call_that_was_given_up_is_not_applied_behind_a_later_one(redis_server: RedisServer):
    slow = journal_at(redis_server, command_seconds=0.3)
    async with journal_mesh(lambda: slow) as mesh:
        member = await mesh.join()
        (lane,) = await member.run(delivery("a"))
        await member.journal.aclose()
        for _ in range(5):
            redis_server.pause()
            with pytest.raises(JournalUnavailableError, match="is unknown"):
                await member.commit(done(lane, outbox=[output("x")]))
            redis_server.resume()
            held = await member.journal.held(member.id)

            again = await member.journal.held(member.id)

            assert again == held
            if not held.lanes or held.lanes[0].pos is None:
                return


async def test_the_server_refuses_what_was_sent_before_a_connection_was_given_up(
    redis_server: RedisServer, mesh: JournalMesh
):
    early = await mesh.join()
    (lane,) = await early.run(delivery("a"))
    late = journal_at(redis_server, command_seconds=0.3)
    await late.held(early.id)
    redis_server.pause()
    with pytest.raises(JournalUnavailableError):
        await late.held(early.id)
    redis_server.resume()
    await late.held(early.id)

    with pytest.raises(JournalUnavailableError, match="OVERTAKEN"):
        await early.commit(done(lane))

    (held,) = (await late.held(early.id)).lanes
    assert held.pos == lane.pos
    await late.aclose()


async def test_many_cancelled_calls_leave_the_connection_usable(mesh: JournalMesh):
    member = await mesh.join()
    for number in range(20):
        call = asyncio.create_task(member.intake(delivery(f"{number}", f"k{number}")))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        member.known.clear()
        leased = await member.journal.lease(member.id, GROUP, [PLACE])
        member.known.update({(GROUP, place): following for place, following in leased.items() if following})

    assert len(await member.take(100)) == (await member.journal.backlog([GROUP]))[GROUP].deliveries


async def test_scripts_that_the_server_has_forgotten_are_sent_again(redis_server: RedisServer, mesh: JournalMesh):
    member = await mesh.join()
    async with Redis.from_url(redis_server.url) as client:
        await client.script_flush()

    assert len(await member.run(delivery("a"))) == 1


async def test_two_key_spaces_know_nothing_of_each_other(redis_server: RedisServer, mesh: JournalMesh):
    member = await mesh.join()
    await member.intake(delivery("a"))
    options = RedisOptions(url=redis_server.url, space="other")
    async with journal_mesh(lambda: RedisJournal(options)) as elsewhere:
        other = await elsewhere.join()

        assert not await other.take(10)
        assert not await other.journal.peers(other.id)


async def test_finished_work_leaves_no_keys_but_what_a_sweep_removes(redis_server: RedisServer, mesh: JournalMesh):
    member = await mesh.join()
    (lane,) = await member.run(delivery("a", request_id="r", reply_to=ReplyAddress("t", 0)))
    await member.open(intent(lane, "ask", kind="human", note=b"?"), intent(lane, "call", callee=digest("b")))
    await member.close(result(lane, "call", b"paid"))
    committed = await member.commit(done(lane, outbox=[output("x")], answer=answer("r", keep_seconds=0.0), asked=True))
    await member.commit(sent=committed.rows)
    await member.journal.questions([GROUP])
    await member.journal.sweep(0)
    await member.journal.leave(member.id)

    async with Redis.from_url(redis_server.url) as client:
        found = cast("list[bytes]", await client.execute_command("KEYS", "*"))
    keys = {key.decode().removeprefix("{agentopic}:") for key in found}

    assert keys == {"version", "sequences", "counts", "groups", "mark_next"}


# ── the cache of states ────────────────────────────────────────────────────────────────────────────────────


class Watched(MemoryJournal):
    """A journal that notes which states are read from it."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.loads = 0

    async def load(self, lane: bytes) -> AgentState | None:
        self.loads += 1
        return await super().load(lane)


class Cached:
    """Processes on one memory journal and one cache."""

    def __init__(self, url: str, ns: str) -> None:
        self.store = MemoryStore()
        self.journals: list[Watched] = []
        self.known: Watermarks = {}
        self._url, self._ns = url, ns

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[Member]:
        """Enter a process; its end waits for what it writes to the cache."""
        journal = Watched(self.store)
        self.journals.append(journal)
        async with self._joined(cached(journal, RedisSnapshots(self._url, namespace=self._ns))) as member:
            yield member

    def joined_without_cache(self) -> AbstractAsyncContextManager[Member]:
        """Enter a process that reads and writes the journal alone."""
        return self._joined(MemoryJournal(self.store))

    @asynccontextmanager
    async def _joined(self, journal: Journal) -> AsyncGenerator[Member]:
        member = Member(journal=journal, id=await journal.join([GROUP], "here"), known=self.known)
        yield member
        await journal.leave(member.id)
        await journal.aclose()

    @property
    def loads(self) -> int:
        return sum(journal.loads for journal in self.journals)


async def leave_state(member: Member, change: StateChange) -> None:
    (lane,) = await member.run(delivery(f"at {change.expected}"))
    await member.commit(done(lane, state=change))


async def read_state(member: Member, name: str) -> AgentState | None:
    (lane,) = await member.run(delivery(name))
    state = await member.journal.load(lane.lane)
    await member.commit(done(lane))
    return state


async def test_a_state_is_read_from_the_cache_while_it_has_the_journals_version(redis_url: str, ns: str):
    processes = Cached(redis_url, ns)
    async with processes.joined() as member:
        await leave_state(member, StateChange(expected=0, snapshot=b"one"))

    async with processes.joined() as member:
        state = await read_state(member, "b")

    assert state == AgentState(version=1, snapshot=b"one")
    assert processes.loads == 0


async def test_an_entry_of_another_version_is_not_used_and_replaced(redis_url: str, ns: str):
    processes = Cached(redis_url, ns)
    async with processes.joined() as member:
        await leave_state(member, StateChange(expected=0, snapshot=b"one"))
    async with processes.joined_without_cache() as member:
        await leave_state(member, StateChange(expected=1, snapshot=b"two"))

    for name in ("a", "b"):
        async with processes.joined() as member:
            assert await read_state(member, name) == AgentState(version=2, snapshot=b"two")

    assert processes.loads == 1


async def test_events_without_their_snapshot_are_read_from_the_journal(redis_url: str, ns: str):
    processes = Cached(redis_url, ns)
    async with processes.joined() as member:
        await leave_state(member, StateChange(expected=0, snapshot=b"one"))
        await leave_state(member, StateChange(expected=1, events=(b"2", b"\0")))

    for name in ("a", "b"):
        async with processes.joined() as member:
            state = await read_state(member, name)
            assert state == AgentState(version=3, snapshot=b"one", events=(b"2", b"\0"))

    assert processes.loads == 1


async def test_a_lane_that_was_not_started_here_is_read_from_the_journal(redis_url: str, ns: str):
    processes = Cached(redis_url, ns)
    async with processes.joined() as member:
        await leave_state(member, StateChange(expected=0, snapshot=b"one"))

    async with processes.joined() as member:
        state = await member.journal.load(delivery("a").lane)

    assert state == AgentState(version=1, snapshot=b"one")
    assert processes.loads == 1


async def test_a_cache_that_does_not_answer_makes_nothing_wrong(ns: str):
    async with RedisServer() as server:
        processes = Cached(server.url, ns)
        async with processes.joined() as member:
            await leave_state(member, StateChange(expected=0, snapshot=b"one"))
        server.kill()

        async with processes.joined() as member:
            await leave_state(member, StateChange(expected=1, snapshot=b"two"))

        async with processes.joined() as member:
            assert await read_state(member, "c") == AgentState(version=2, snapshot=b"two")
