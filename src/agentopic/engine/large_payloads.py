"""Large payloads: stored as blobs before their event is decided on, and fetched where the event is handled."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from agentopic.engine.options import EngineOptions
from agentopic.engine.turn import Content
from agentopic.envelope import Envelope
from agentopic.envelope import attributes as names
from agentopic.errors import BlobMissingError, BlobUnavailableError, UnreachableError
from agentopic.ports.blobs import Blobs


class LargePayloads:
    """Puts payloads above the limit aside and brings them back; without a store they travel whole.

    The store is made ready at the first payload that needs it: most processes never have one.
    """

    def __init__(self, blobs: Blobs | None, options: EngineOptions) -> None:
        self._blobs, self._limit, self._base = blobs, options.blob_bytes, options.blob_base_url
        self._opening = asyncio.Lock()
        self._is_open = self._is_wanted = False

    async def aside(self, content: Content) -> Content:
        """Return content as it shall travel: as given, or with a reference in place of its stored data.

        Raises:
            BlobUnavailableError: the store does not answer.
        """
        if self._blobs is None or content.data is None or len(content.data) <= self._limit:
            return content
        reference = await self._put(self._blobs, content.data)
        return replace(content, data=None, extensions={**content.extensions, **reference})

    async def reduced(self, envelope: Envelope) -> Envelope:
        """Return a finished event as it shall travel; errors as for `aside`."""
        if self._blobs is None or envelope.data is None or len(envelope.data) <= self._limit:
            return envelope
        reference = await self._put(self._blobs, envelope.data)
        return envelope.replace(data=None).with_extensions(**reference)

    async def whole(self, envelope: Envelope) -> Envelope:
        """Return an event with its data, fetched and verified when it did not travel.

        A `dataref` without our hash is another program's: it is left to the handler, and never followed.

        Raises:
            BlobMissingError: the store does not hold it, or this process has no store.
            BlobCorruptError: what is stored has another hash.
            BlobUnavailableError: the store does not answer.
        """
        sha256 = envelope.agdatasha256
        if envelope.data is not None or sha256 is None:
            return envelope
        if self._blobs is None:
            raise BlobMissingError(f"event {envelope.id!r} has its payload in a blob store, and none is set here")
        blobs = await self._opened(self._blobs)
        data = await blobs.get(sha256)
        await blobs.touch([sha256])
        return envelope.replace(data=data)

    async def _put(self, blobs: Blobs, data: bytes) -> Mapping[str, str]:
        sha256 = await (await self._opened(blobs)).put(data)
        return {names.DATAREF: self._uri(sha256), names.AGDATASHA256: sha256}

    def _uri(self, sha256: str) -> str:
        """An address where one is served; else the name that RFC 6920 gives to content with this hash."""
        if self._base is not None:
            return f"{self._base.rstrip('/')}/v1/blobs/{sha256}"
        digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")
        return f"ni:///sha-256;{digest}"

    async def _opened(self, blobs: Blobs) -> Blobs:
        async with self._opening:
            if not self._is_open:
                await _start(blobs)
            self._is_open = self._is_wanted = True
        return blobs

    @asynccontextmanager
    async def upkeep(self) -> AsyncGenerator[Blobs | None]:
        """Lend the store for its upkeep; one that no payload has needed is closed again afterwards."""
        if self._blobs is None:
            yield None
            return
        async with self._opening:
            if not self._is_open:
                await _start(self._blobs)
            self._is_open = True
        try:
            yield self._blobs
        finally:
            if not self._is_wanted:
                await self.aclose()

    async def aclose(self) -> None:
        """Close the store; the next payload opens it again."""
        async with self._opening:
            if self._blobs is not None and self._is_open:
                await self._blobs.aclose()
            self._is_open = self._is_wanted = False


async def _start(blobs: Blobs) -> None:
    # Unlike at a start-up, the process lives on, and the store may answer the next time it is asked.
    try:
        await blobs.start()
    except UnreachableError as exc:
        raise BlobUnavailableError(str(exc)) from exc
