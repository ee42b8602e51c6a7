"""A turn's attempt as its handler sees it: steps, waits, publishes, ids and times that a later attempt repeats."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from agentopic.core import AgentId, TopicId
from agentopic.core._immutable import immutable
from agentopic.core._turn import StepSpec
from agentopic.engine.delivery import Delivery
from agentopic.engine.previews import Shown
from agentopic.engine.questions import encode_answer, question_id, question_input, question_note, until_answered
from agentopic.engine.steps import Steps
from agentopic.engine.timers import timer, until_due
from agentopic.engine.waits import Wait, WaitSpec
from agentopic.envelope import Envelope, agent_source, derive_id
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import extension_headers
from agentopic.envelope.kafka_publish import publish_headers, sender
from agentopic.envelope.validation import ExtensionValue
from agentopic.errors import TurnClosedError
from agentopic.ports.journal import OutboxRow

T = TypeVar("T")


@immutable
class Content:
    """A payload as it travels."""

    type: str
    datacontenttype: str | None
    data: bytes | None
    extensions: Mapping[str, ExtensionValue] = field(default_factory=dict[str, ExtensionValue])
    """Attributes of the event that belong to its payload: where it is kept when it does not travel."""


@dataclass(slots=True)
class Turn:
    """One attempt of one turn; implements `core.TurnScope`.

    Publishes are collected and leave with the commit, but for those that are to leave at once. Everything minted here
    (ids, times) is derived from the delivery and the recorded steps, so that a later attempt mints the same.
    """

    delivery: Delivery
    namespace: str
    steps: Steps
    outbox: list[OutboxRow] = field(default_factory=list[OutboxRow])
    _shown: Shown | None = None
    _closed: bool = False

    @property
    def shown(self) -> Shown:
        """What this attempt has shown as previews."""
        self._shown = self._shown or Shown()
        return self._shown

    async def step(self, spec: StepSpec[T], run: Callable[[str], Awaitable[T]]) -> T:
        """Run an outside call once; see `core.TurnScope.step`."""
        self._require_open("a step")
        return await self.steps.run(self, spec, run)

    async def wait(self, spec: WaitSpec[T], call: Callable[[Wait], Awaitable[T]]) -> T:
        """Wait for what comes from elsewhere; see `Steps.wait`. While only waits are open, the turn holds no slot."""
        self._require_open("a wait")
        return await self.steps.wait(spec, call)

    async def sleep(self, seconds: float) -> None:
        """Wait, through restarts; see `core.TurnScope.sleep`."""
        await self.wait(timer(seconds), until_due)

    async def ask(
        self,
        text: str,
        *,
        choices: Sequence[str] | None = None,
        details: Any = None,
        timeout_seconds: float | None = None,
    ) -> Any:
        """Ask a person; see `core.TurnScope.ask`."""
        asked = self.now().isoformat()
        note = question_note(self.delivery.agent, self.run, text, choices=choices, details=details, asked=asked)

        def publish(step: str) -> Sequence[OutboxRow]:
            started = self.steps.attempt.started
            question = question_id(started.identity, bytes.fromhex(step))
            return self.steps.tools.hooks.asked(self, question, note)

        spec: WaitSpec[Any] = WaitSpec(
            kind="human",
            name="ask",
            input=question_input(text, choices=choices, details=details),
            encode=encode_answer,
            decode=json.loads,
            due_seconds=None if timeout_seconds is None else max(0.0, timeout_seconds),
            note=note,
            outbox=publish,
        )
        return await self.wait(spec, until_answered)

    def preview(self, spec: StepSpec[Any], item: Any) -> None:
        """Show an item of a running step's stream; see `core.TurnScope.preview`."""
        self.steps.tools.hooks.preview(self, spec, item)

    def is_known(self, spec: StepSpec[Any]) -> bool:
        """Whether an earlier attempt has begun this step; see `core.TurnScope.is_known`."""
        return self.steps.is_known(spec)

    def number(self, name: str) -> int:
        """Count a name; see `core.TurnScope.number`."""
        return self.steps.number(name)

    def hold(self) -> None:
        """Have a cancellation not end this turn; see `core.TurnScope.hold`."""
        self.steps.attempt.holds += 1

    def settle(self) -> None:
        """Have waits last in spite of a cancellation; see `core.TurnScope.settle`."""
        self.steps.attempt.settling += 1

    def release(self) -> None:
        """Take one hold back; see `core.TurnScope.release`."""
        self.steps.attempt.release()

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants this turn's work any more."""
        steps = self.steps
        if steps.tools.hooks.is_cancelled(self.run):
            steps.attempt.cancel()
        return steps.attempt.is_unwanted

    @property
    def run(self) -> str:
        """Id of the run this turn belongs to."""
        return self.delivery.envelope.correlationid or self.delivery.envelope.id

    @property
    def fencing_token(self) -> int:
        """The number that rises with each taking of this agent; see `core.TurnScope.fencing_token`."""
        return self.steps.attempt.started.token

    def now(self) -> datetime:
        """Return the time of the latest recorded step, before the first one that of the delivery's record."""
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self._now_ms())

    def _now_ms(self) -> int:
        return max(self.delivery.record.timestamp_ms, self.steps.log.last_ms)

    def new_id(self) -> str:
        """Return an id derived from the delivery and the number of ids drawn before, those inside steps apart."""
        return derive_id("minted", *self._cause(), *self.steps.next_id())

    def close(self) -> None:
        """End the attempt: whoever still holds this turn can do nothing in it any more."""
        self._closed = True

    def publish(self, content: Content, topic: TopicId, kafka_topic: str, *, message_id: str | None = None) -> None:
        """Collect an event for a topic; it leaves when the turn commits.

        Raises:
            TurnClosedError: the turn has finished.
        """
        self._require_open("a publish")
        event_id = message_id or derive_id("output", *self._cause(), len(self.outbox))
        self.outbox.append(self._output(content, topic, kafka_topic, event_id))

    async def publish_now(
        self, content: Content, topic: TopicId, kafka_topic: str, *, message_id: str | None = None
    ) -> None:
        """Store an event for a topic and have it sent at once: a step, done once however often the turn is run.

        It follows what earlier turns of the agent have published to the topic, and comes before what this one has
        collected; it has left also when the turn fails.

        Raises:
            TurnClosedError: the turn has finished.
        """
        self._require_open("a publish")
        # What is set aside is told apart by its hash.
        aside = content.extensions.get(names.AGDATASHA256, "")
        told = (topic.type, topic.source, content.type, message_id or "", str(aside))

        def rows(step: str) -> Sequence[OutboxRow]:
            event_id = message_id or derive_id("now", *self._cause(), step)
            return (self._output(content, topic, kafka_topic, event_id),)

        spec: WaitSpec[None] = WaitSpec(
            kind="effect",
            name="publish",
            input=b"\0".join([*(each.encode("utf-8", "surrogatepass") for each in told), content.data or b""]),
            encode=lambda _: b"null",
            decode=lambda _: None,
            repeatable=True,
            outbox=rows,
        )
        await self.steps.post(spec)

    def _output(self, content: Content, topic: TopicId, kafka_topic: str, event_id: str) -> OutboxRow:
        agent = self.delivery.agent
        headers = publish_headers(
            self.delivery.envelope,
            sender(self.namespace, agent.type, agent.key),
            event_id=event_id,
            payload_type=content.type,
            datacontenttype=content.datacontenttype,
            topic_type=topic.type,
            topic_source=topic.source,
            at_ms=self._now_ms(),
            extensions=extension_headers(content.extensions) if content.extensions else (),
        )
        return OutboxRow(topic=kafka_topic, key=topic.source.encode(), value=content.data, headers=headers)

    def answer(self, content: Content, kind: str) -> Envelope:
        """Return the reply or fault that ends this turn's request."""
        request_id = self.delivery.request_id or ""
        return self._caused(
            content,
            event_id=derive_id("answer", *self._cause(), request_id),
            subject=self.delivery.envelope.subject,
            extensions={
                names.AGMSGKIND: kind,
                names.AGREQUESTID: request_id,
                names.AGAGENTSENDERTYPE: self.delivery.agent.type,
                names.AGAGENTSENDERKEY: self.delivery.agent.key,
            },
        )

    def request(self, content: Content, recipient: AgentId, request_id: str) -> Envelope:
        """Return a request of this turn to another agent, without its reply address."""
        self._require_open("a send")
        agent = self.delivery.agent
        return self._caused(
            content,
            event_id=request_id,
            subject=recipient.key or None,
            extensions={
                names.AGMSGKIND: names.KIND_REQUEST,
                names.AGREQUESTID: request_id,
                names.AGTARGETTYPE: recipient.type,
                names.AGTARGETKEY: recipient.key,
                names.AGAGENTSENDERTYPE: agent.type,
                names.AGAGENTSENDERKEY: agent.key,
            },
        )

    def _caused(
        self, content: Content, *, event_id: str, subject: str | None, extensions: dict[str, ExtensionValue]
    ) -> Envelope:
        cause, agent = self.delivery.envelope, self.delivery.agent
        inherited = {
            name: cause.extensions[name] for name in (names.TRACEPARENT, names.TRACESTATE) if name in cause.extensions
        }
        return Envelope(
            id=event_id,
            source=agent_source(self.namespace, agent.type, agent.key),
            type=content.type,
            subject=subject,
            time=self.now(),
            datacontenttype=content.datacontenttype,
            data=content.data,
            extensions={
                names.CORRELATIONID: cause.correlationid or cause.id,
                names.CAUSATIONID: cause.id,
                names.AGHOPS: cause.next_hops,
                **inherited,
                **content.extensions,
                **extensions,
            },
        )

    def _cause(self) -> tuple[str, str, str, int]:
        envelope = self.delivery.envelope
        return str(self.delivery.agent), envelope.source, envelope.id, envelope.agredrive

    def _require_open(self, what: str) -> None:
        if self._closed:
            raise TurnClosedError(
                f"{what} was called after the turn of {self.delivery.agent} had finished: await it inside the handler"
            )
