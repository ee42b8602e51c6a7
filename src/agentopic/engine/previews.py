"""Previews: what the streams of running turns give goes to `<ns>.stream` at once, best effort."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_jsonable_python

from agentopic.core._turn import RESTART, StepSpec, current_path
from agentopic.engine.topics import TopicCatalog
from agentopic.envelope import Envelope, agent_source
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import encode
from agentopic.envelope.kafka_topics import stream
from agentopic.errors import AgentopicError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.clock import Clock
from agentopic.ports.transport import OutgoingRecord, Sent, Transport
from agentopic.telemetry.loggers import get_logger

if TYPE_CHECKING:
    from agentopic.engine.turn import Turn

log = get_logger(__name__)

PREVIEW_TYPE: Final = "agentopic.Preview.v1"
RETENTION: Final = {"retention.ms": "3600000"}
"""How long previews are worth keeping: one hour."""
LIMIT: Final = 2000
"""Previews that wait to be sent; what comes then is dropped and counted."""
BATCH: Final = 500
GATHER_SECONDS: Final = 0.03
"""How long text of one stream is gathered into one preview."""
MERGE_CHARACTERS: Final = 8192
PAUSE_SECONDS: Final = 10.0
"""How long nothing is sent after the topic could not be had or written."""


@dataclass(slots=True)
class Shown:
    """What one attempt has shown: its numbers, and which of its streams are known."""

    sequence: int = 0
    streams: list[StepSpec[Any]] = field(default_factory=list[StepSpec[Any]])

    def stream(self, spec: StepSpec[Any]) -> int:
        """Return the number of a step's stream within the attempt."""
        for number, known in enumerate(self.streams):
            if known is spec:
                return number
        self.streams.append(spec)
        return len(self.streams) - 1

    def next(self) -> int:
        """Return the next sequence number; one that is dropped leaves a gap that a reader sees."""
        self.sequence += 1
        return self.sequence - 1


@dataclass(slots=True, kw_only=True)
class Preview:
    """One event to come, open for more text of its stream until it is sent."""

    turn: Turn
    sequence: int
    data: dict[str, Any]

    def merge(self, other: Preview) -> bool:
        """Take in the text of the next piece of the same stream; whether that could be done."""
        texts = self.data.get("text"), other.data.get("text")
        same = self.turn is other.turn and self.data.get("stream") == other.data.get("stream")
        if not same or texts[0] is None or texts[1] is None or len(texts[0]) > MERGE_CHARACTERS:
            return False
        self.data["text"] = texts[0] + texts[1]
        return True


class Previews:
    """Sends previews of one process, never waited for by a turn.

    The id of a preview is `<turn>.<attempt>.<sequence>`; a new attempt, and a call made again within a step, begin
    with a `reset`: what was shown before is void.
    """

    def __init__(
        self, transport: Transport, catalog: TopicCatalog, clock: Clock, *, namespace: str, topic: TopicSpec
    ) -> None:
        self._transport, self._catalog, self._clock = transport, catalog, clock
        self._namespace, self._topic = namespace, topic
        self._waiting: deque[Preview] = deque()
        self._wake = asyncio.Event()
        self._ready = False
        self.dropped = 0
        """Previews that nobody will see: too many at once, or no broker to take them."""

    def show(self, turn: Turn, spec: StepSpec[Any], item: Any) -> None:
        """Note an item of a stream; returns at once, whatever the broker does."""
        attempt = turn.steps.attempt.started.attempts
        if not turn.shown.sequence and attempt > 1:
            self._add(turn, {"reset": "turn"})
        number = turn.shown.stream(spec)
        step: dict[str, Any] = {"stream": number, "kind": spec.kind, "name": spec.name, "path": [*current_path.get()]}
        self._add(turn, {**step, **({"reset": "stream"} if item is RESTART else _content(item))})

    def _add(self, turn: Turn, data: dict[str, Any]) -> None:
        preview = Preview(turn=turn, sequence=turn.shown.sequence, data=data)
        if self._waiting and self._waiting[-1].merge(preview):
            return
        turn.shown.next()
        if len(self._waiting) >= LIMIT:
            self.dropped += 1
            return
        self._waiting.append(preview)
        self._wake.set()

    async def run(self) -> None:
        """Send what is shown, in order, until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            while self._waiting:
                await self._send([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])

    async def _send(self, batch: Sequence[Preview]) -> None:
        try:
            if not self._ready:
                await self._catalog.ensure([self._topic])
                self._ready = True
            results = await self._transport.send([self._record(each) for each in batch])
        except AgentopicError as exc:
            await self._give_up(batch, exc)
            return
        failed = [each for each in results if not isinstance(each, Sent)]
        if failed:
            await self._give_up(batch[-len(failed) :], failed[0])

    async def _give_up(self, lost: Sequence[Preview], error: Exception) -> None:
        self.dropped += len(lost) + len(self._waiting)
        self._waiting.clear()
        log.warning("previews are dropped for a while", dropped=self.dropped, error=str(error))
        await asyncio.sleep(PAUSE_SECONDS)
        self.dropped += len(self._waiting)
        self._waiting.clear()

    def _record(self, preview: Preview) -> OutgoingRecord:
        turn, delivery = preview.turn, preview.turn.delivery
        started = turn.steps.attempt.started
        run = delivery.envelope.correlationid or delivery.envelope.id
        event = Envelope(
            id=f"{started.identity.hex()}.{started.attempts}.{preview.sequence}",
            source=agent_source(self._namespace, delivery.agent.type, delivery.agent.key),
            type=PREVIEW_TYPE,
            subject=run,
            time=self._clock.now(),
            datacontenttype="application/json",
            data=json.dumps(preview.data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"),
            extensions={
                names.CORRELATIONID: run,
                names.CAUSATIONID: delivery.envelope.id,
                names.AGMSGKIND: names.KIND_STREAM,
                names.AGATTEMPT: started.attempts,
                names.AGAGENTSENDERTYPE: delivery.agent.type,
                names.AGAGENTSENDERKEY: delivery.agent.key,
            },
        )
        message = encode(event, key=run.encode())
        return OutgoingRecord(
            topic=stream(self._namespace), key=message.key, value=message.value, headers=message.headers
        )


def stream_topic(namespace: str, *, partitions: int, replication: int) -> TopicSpec:
    """Return how the topic of previews is created."""
    return TopicSpec(name=stream(namespace), partitions=partitions, replication=replication, config=dict(RETENTION))


def _content(item: Any) -> Mapping[str, Any]:
    if isinstance(item, str):
        return {"text": item}
    try:
        return {"item": to_jsonable_python(item)}
    except ValueError:  # neither JSON nor like it, or without end
        return {"item": repr(item)[:MERGE_CHARACTERS]}
