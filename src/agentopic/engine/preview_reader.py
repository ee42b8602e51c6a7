"""Preview reader: what `<ns>.stream` shows, given to whoever watches; read only while somebody does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from agentopic.core import AgentId
from agentopic.engine.mesh import Mesh
from agentopic.engine.options import EngineOptions
from agentopic.engine.previews import PREVIEW_TYPE
from agentopic.engine.process_lived.hearing import Hearing, Wanted
from agentopic.engine.records import read_envelope
from agentopic.engine.routing import sender_of
from agentopic.engine.topics import TopicCatalog
from agentopic.envelope import new_id
from agentopic.envelope.kafka_topics import stream
from agentopic.errors import AgentopicError
from agentopic.ports.transport import Record
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

Show = Callable[[AgentId, Any], None]
"""Is given an agent and what it has shown."""


class PreviewReader:
    """One reader for all who watch in this process, from the end on when the first one comes."""

    def __init__(self, mesh: Mesh, catalog: TopicCatalog, options: EngineOptions) -> None:
        self._options = options
        self._topic = stream(options.namespace)
        self._watchers: list[Show] = []
        self._changing = asyncio.Lock()
        name = f"{options.namespace}.watch-{new_id()}"
        self._hearing = Hearing(mesh, catalog, group=lambda: name, hear=self._hear, is_full=lambda: False)

    @asynccontextmanager
    async def watched(self, show: Show) -> AsyncGenerator[None]:
        """Give `show` every preview that comes inside the block: its agent and its data; see `Previews`.

        Best effort: nothing of what is shown has committed.

        Raises:
            TransportError: the broker does not answer.
        """
        self._watchers.append(show)
        try:
            async with self._changing:
                if not self._hearing.listens_to(self._topic):
                    await self._hearing.listen(Wanted(frozenset({self._topic})))
            yield
        finally:
            self._watchers.remove(show)
            async with self._changing:
                if not self._watchers:
                    await self._hearing.aclose()

    def _hear(self, record: Record) -> None:
        try:
            envelope = read_envelope(record, self._options)
            agent = sender_of(envelope)
            if agent is None or envelope.type != PREVIEW_TYPE:
                return
            data = json.loads(envelope.data or b"null")
        except (AgentopicError, ValueError) as exc:
            log.warning("no valid preview", kafka_topic=record.topic, offset=record.offset, error=str(exc))
            return
        for show in [*self._watchers]:
            show(agent, data)

    async def aclose(self) -> None:
        """Stop reading."""
        await self._hearing.aclose()
