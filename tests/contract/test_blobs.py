"""What every blob store guarantees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agentopic.adapters.blobs.content_hash import content_hash
from agentopic.adapters.blobs.directory import DirectoryBlobs
from agentopic.adapters.blobs.memory import MemoryBlobs
from agentopic.adapters.blobs.sqlite import SqliteBlobs
from agentopic.errors import BlobMissingError
from agentopic.ports.blobs import Blobs

HOUR = 3600.0


@pytest.fixture(params=["memory", "directory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Blobs]:
    """Connections to one fresh store, each as from a process of its own."""
    if request.param == "memory":
        shared = MemoryBlobs()
        return lambda: shared
    if request.param == "directory":
        return lambda: DirectoryBlobs(tmp_path / "blobs")
    if request.param == "sqlite":
        return lambda: SqliteBlobs(tmp_path / "blobs.db")
    from agentopic.adapters.blobs.postgres import PostgresBlobs
    from agentopic.adapters.journal.postgres import PostgresOptions

    dsn: str = request.getfixturevalue("postgres_dsn")
    return lambda: PostgresBlobs(PostgresOptions(dsn=dsn))


@pytest.fixture
async def blobs(connect: Callable[[], Blobs]) -> AsyncIterator[Blobs]:
    opened = connect()
    await opened.start()
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("data", [b"", b"text", bytes(range(256)) * 8192], ids=["empty", "text", "2 MiB"])
async def test_bytes_come_back_under_the_hash_of_their_content(blobs: Blobs, data: bytes):
    sha256 = await blobs.put(data)

    assert sha256 == content_hash(data)
    assert await blobs.get(sha256) == data


async def test_what_one_process_stored_another_one_reads(blobs: Blobs, connect: Callable[[], Blobs]):
    sha256 = await blobs.put(b"shared")

    other = connect()
    await other.start()

    assert await other.get(sha256) == b"shared"
    await other.aclose()


@pytest.mark.parametrize("sha256", ["0" * 64, "../../etc/passwd", "A" * 64, ""])
async def test_what_was_never_stored_is_missing(blobs: Blobs, sha256: str):
    with pytest.raises(BlobMissingError):
        await blobs.get(sha256)


async def test_the_same_bytes_stored_by_many_at_once_are_one_blob(connect: Callable[[], Blobs]):
    several = [connect() for _ in range(4)]
    await asyncio.gather(*(each.start() for each in several))

    hashes = await asyncio.gather(*(each.put(b"same" * 1000) for each in several))

    assert len(set(hashes)) == 1
    assert await several[0].unused(0.0, 10) == [hashes[0]]
    for each in several:
        await each.aclose()


async def test_a_young_blob_is_neither_listed_nor_deleted(blobs: Blobs):
    sha256 = await blobs.put(b"young")

    assert await blobs.unused(HOUR, 10) == []
    assert await blobs.discard([sha256], HOUR) == 0
    assert await blobs.get(sha256) == b"young"


async def test_an_old_blob_is_deleted_once(blobs: Blobs):
    sha256 = await blobs.put(b"old")

    assert await blobs.discard([sha256, "0" * 64], 0.0) == 1
    assert await blobs.discard([sha256], 0.0) == 0
    with pytest.raises(BlobMissingError):
        await blobs.get(sha256)


@pytest.mark.parametrize("how", ["touch", "put"])
async def test_using_a_blob_makes_it_young(blobs: Blobs, how: str):
    first, second = await blobs.put(b"first"), await blobs.put(b"second")

    if how == "touch":
        await blobs.touch([first, "0" * 64])
    else:
        await blobs.put(b"first")

    assert await blobs.unused(0.0, 10) == [second, first]
    assert await blobs.unused(0.0, 1) == [second]


async def test_starting_and_closing_twice_does_no_harm(connect: Callable[[], Blobs]):
    opened = connect()
    await opened.start()
    await opened.start()

    await opened.aclose()
    await opened.aclose()
