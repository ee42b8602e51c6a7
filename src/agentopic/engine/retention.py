"""Retention: in the background, everything stored is forgotten once its time is over."""

from __future__ import annotations

import asyncio
import random

from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.options import EngineOptions
from agentopic.errors import BlobUnavailableError, JournalError
from agentopic.ports.blobs import Blobs
from agentopic.ports.journal import Journal
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

PORTION = 100


class Retention:
    """Sweeps journal and blob store again and again; every process does, at times of its own.

    The journal is swept past the writer: its portions are short and must not keep turns waiting for the last one.
    """

    def __init__(self, journal: Journal, large: LargePayloads, options: EngineOptions) -> None:
        self._journal, self._large, self._options = journal, large, options

    async def run(self) -> None:
        """Sweep until cancelled; processes that started together do not sweep together."""
        while True:
            await asyncio.sleep(self._options.sweep_seconds * random.uniform(0.5, 1.5))
            await self.sweep()

    async def sweep(self) -> None:
        """Sweep once; a store that does not answer is swept next time."""
        try:
            await self._journal.sweep(self._options.dedup_seconds)
            async with self._large.upkeep() as blobs:
                if blobs is not None:
                    await self._sweep_blobs(blobs, self._options.blob_seconds)
        except (JournalError, BlobUnavailableError) as exc:
            log.warning("could not sweep, trying again later", error=str(exc))

    async def _sweep_blobs(self, blobs: Blobs, seconds: float) -> None:
        """Delete blobs unused for so long; those that unfinished work names are made young at half of that age.

        So a store that several journals share keeps what any of them needs, as long as each has a process now and then.
        """
        while ageing := await blobs.unused(seconds / 2, PORTION):
            needed = await self._journal.mentioned(ageing)
            await blobs.touch(sorted(needed))
            deleted = await blobs.discard([each for each in ageing if each not in needed], seconds)
            if deleted:
                log.info("unused payloads deleted", count=deleted)
            if len(needed) + deleted < len(ageing) or len(ageing) < PORTION:
                return  # what is left is not old enough yet
