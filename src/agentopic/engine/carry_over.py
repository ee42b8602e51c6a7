"""Carrying everything unfinished from one journal to another: export to a file, import from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import BinaryIO, Final

from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions
from agentopic.engine.standstill import standstill
from agentopic.engine.state_file import CarriedBlob, StateHead, StateWriter, read_lines, verify
from agentopic.envelope import attributes as names
from agentopic.errors import BlobMissingError, ConfigError, StateFileError
from agentopic.ports.blobs import Blobs
from agentopic.ports.journal import Journal, PortableRow
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

BATCH: Final = 500
_REFERENCE: Final = re.compile(rf'{names.AGDATASHA256}"\s*[,:]\s*"([0-9a-f]{{64}})"')


async def export_state(mesh: Mesh, options: EngineOptions, groups: Sequence[str], out: BinaryIO) -> Mapping[str, int]:
    """Write all that is unfinished of these consumer groups and return the number of rows by table.

    State, unfinished deliveries with their ids, recorded steps, open questions, timers, unsent outbox rows, the
    identities of what was handled within the dedup horizon, stored answers, and the large payloads they refer to. The
    journal is not changed.

    Raises:
        StillRunningError: a process of one of the groups is alive.
    """
    journal = _journal_of(mesh)
    writer = StateWriter(out, StateHead(namespace=options.namespace, groups=tuple(groups)))
    referred = set[str]()
    async with standstill(journal, groups, clock=mesh.clock, lease_seconds=options.lease_seconds):
        async for row in journal.dump(groups):
            writer.add(row)
            referred |= _references(row)
    if mesh.blobs is not None and referred:
        await mesh.blobs.start()
        for sha256 in sorted(referred):
            await _add_blob(writer, mesh.blobs, sha256)
    writer.finish()
    return writer.counts


async def import_state(mesh: Mesh, options: EngineOptions, source: BinaryIO) -> int:
    """Store what a file holds and is not there yet, and return the number of rows; repeating it stores nothing.

    The whole file is checked before anything of it is stored. Services start with it as with a journal of their own.

    Raises:
        StateFileError: the file is not whole, or of another namespace.
        StillRunningError: a process of one of the file's groups is alive.
    """
    journal = _journal_of(mesh)
    head = verify(source)
    if head.namespace != options.namespace:
        raise StateFileError(
            f"the file is of namespace {head.namespace!r}, this mesh of {options.namespace!r}: addresses would not fit"
        )
    stored = 0
    async with standstill(journal, head.groups, clock=mesh.clock, lease_seconds=options.lease_seconds):
        lines = read_lines(source)
        while batch := list(islice(lines, BATCH)):
            for blob in (each for each in batch if isinstance(each, CarriedBlob)):
                await _keep_blob(mesh.blobs, blob)
            rows = [each for each in batch if isinstance(each, PortableRow)]
            if rows:
                stored += await journal.restore(rows)
    return stored


def _journal_of(mesh: Mesh) -> Journal:
    if mesh.journal is None:
        raise ConfigError("there is no journal to carry state from or to: set AGENTOPIC_JOURNAL")
    return mesh.journal


def _references(row: PortableRow) -> set[str]:
    """The large payloads a row refers to: in headers of records, or in envelopes written as JSON."""
    texts = [cell.decode("latin-1") if isinstance(cell, bytes) else cell for cell in row.values.values()]
    return {found for text in texts if isinstance(text, str) for found in _REFERENCE.findall(text)}


async def _add_blob(writer: StateWriter, blobs: Blobs, sha256: str) -> None:
    try:
        writer.add(CarriedBlob(sha256=sha256, data=await blobs.get(sha256)))
    except BlobMissingError as exc:
        log.warning("a payload is not carried over", error=str(exc))


async def _keep_blob(blobs: Blobs | None, blob: CarriedBlob) -> None:
    if blobs is None:
        raise ConfigError("the file holds large payloads and there is no store for them: set AGENTOPIC_BLOBS")
    await blobs.start()
    await blobs.put(blob.data)
