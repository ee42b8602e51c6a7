"""What blob stores do when the disk does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agentopic.adapters.blobs.directory import DirectoryBlobs
from agentopic.adapters.blobs.sqlite import SqliteBlobs
from agentopic.errors import BlobCorruptError, BlobUnavailableError, UnreachableError


async def test_altered_bytes_are_found_out(tmp_path: Path):
    blobs = DirectoryBlobs(tmp_path)
    sha256 = await blobs.put(b"right")

    (tmp_path / sha256[:2] / sha256).write_bytes(b"wrong")

    with pytest.raises(BlobCorruptError):
        await blobs.get(sha256)


async def test_what_a_dead_writer_left_half_written_is_cleared_away_and_never_listed(tmp_path: Path):
    blobs = DirectoryBlobs(tmp_path)
    sha256 = await blobs.put(b"whole")
    half, fresh = (tmp_path / sha256[:2] / f".part-{name}" for name in ("half", "fresh"))
    for part in (half, fresh):
        part.write_bytes(b"ha")
    os.utime(half, (0, 0))

    listed = await blobs.unused(0.0, 10)

    assert listed == [sha256]
    assert (half.exists(), fresh.exists()) == (False, True)


async def test_a_directory_that_is_a_file_is_unreachable(tmp_path: Path):
    (tmp_path / "file").write_text("no directory")

    with pytest.raises(UnreachableError):
        await DirectoryBlobs(tmp_path / "file").start()
    with pytest.raises(BlobUnavailableError):
        await DirectoryBlobs(tmp_path / "file").put(b"data")


async def test_a_file_that_is_no_database_is_unreachable(tmp_path: Path):
    (tmp_path / "file").write_text("no database, and long enough to be looked at" * 50)

    with pytest.raises(UnreachableError):
        await SqliteBlobs(tmp_path / "file").start()


async def test_a_closed_table_is_unavailable(tmp_path: Path):
    with pytest.raises(BlobUnavailableError):
        await SqliteBlobs(tmp_path / "file").put(b"data")
