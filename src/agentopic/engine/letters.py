"""Letters: what lies in a dead-letter topic, read back, told apart from the notes of who dealt with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from agentopic.core import AgentId
from agentopic.engine.deadletters import PREFIX, original_headers
from agentopic.engine.settlements import Settlement, read_settlement
from agentopic.envelope import Envelope
from agentopic.envelope import attributes as names
from agentopic.envelope.kafka import decode_record, topic_source
from agentopic.envelope.kafka_topics import KafkaTopic, parse_topic
from agentopic.errors import AgentopicError
from agentopic.ports.transport import Record
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)

_UNSENT: Final = -1
"""Offset of a letter about an output that its broker has refused: it lies nowhere."""

Place = tuple[int, int]
"""Partition and offset of a letter in its dead-letter topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is known of the event in a letter without its data."""

    source: str
    id: str
    type: str
    subject: str | None
    run: str
    redrive: int
    expiry: datetime | None
    is_request: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One letter, without its bytes."""

    agent_type: str
    partition: int
    offset: int
    origin: str
    """The Kafka topic it was read from, or was meant for when the broker refused it."""
    origin_partition: int
    origin_offset: int
    reason: str
    message: str
    attempts: int
    first: datetime | None
    time: datetime | None
    agent: AgentId | None
    """Whose handler failed, or would have been the one; None when that cannot be known."""
    event: Event | None
    """None when the record is no event that can be read."""
    fault: str = ""
    """Why there is no event or agent."""

    @property
    def id(self) -> str:
        """How people name it: `<partition>:<offset>` in its dead-letter topic."""
        return f"{self.partition}:{self.offset}"

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self.partition, self.offset

    @property
    def is_unsent(self) -> bool:
        """Whether it is an output that the broker has refused, rather than a delivery that failed."""
        return self.origin_offset == _UNSENT

    @property
    def origin_kind(self) -> KafkaTopic | None:
        """The parts of the origin's name; None when it is not one of this product's."""
        return parse_topic(self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterState:
    """A letter and what has become of it."""

    letter: DeadLetter
    settlement: Settlement | None = None
    superseded: bool = False
    """Whether a later letter shows that it was redriven, noted or not."""

    @property
    def status(self) -> str:
        """`open`, `redriven` or `discarded`."""
        if self.settlement is not None:
            return self.settlement.action
        return "redriven" if self.superseded else "open"


@dataclass(slots=True)
class LetterBox:
    """The letters of one dead-letter topic, filled record by record in the order of each partition."""

    agent_type: str
    max_bytes: int
    _letters: dict[object, DeadLetter] = field(default_factory=dict[object, DeadLetter])
    _copies: dict[Place, object] = field(default_factory=dict[Place, object])
    _settled: dict[Place, Settlement] = field(default_factory=dict[Place, Settlement])

    def add(self, record: Record) -> None:
        """Take in a record: a letter, a repetition of one, or the note that one is settled."""
        settlement = read_settlement(record)
        if settlement is not None:
            self._settled[settlement.partition, settlement.offset] = settlement
            return
        letter = read_letter(record, self.agent_type, self.max_bytes)
        if letter is None:
            return
        death = _death(letter)
        self._letters.setdefault(death, letter)
        self._copies[letter.place] = death

    def states(self) -> Sequence[LetterState]:
        """Return every letter once, the oldest death first."""
        settled = {self._copies[place]: each for place, each in self._settled.items() if place in self._copies}
        latest = self._latest_redrives()
        found = [
            LetterState(
                letter=letter,
                settlement=settled.get(death),
                superseded=letter.event is not None
                and letter.event.redrive < latest.get(_name(letter, letter.event), 0),
            )
            for death, letter in self._letters.items()
        ]
        return sorted(found, key=lambda each: (_millis(each.letter.time), each.letter.place))

    def _latest_redrives(self) -> Mapping[object, int]:
        latest: dict[object, int] = {}
        for letter in self._letters.values():
            if letter.event is not None and letter.event.redrive:
                name = _name(letter, letter.event)
                latest[name] = max(letter.event.redrive, latest.get(name, 0))
        return latest


def read_letter(record: Record, agent_type: str, max_bytes: int) -> DeadLetter | None:
    """Return the letter a record of a dead-letter topic is; None for what has no facts and is none."""
    facts = {name[len(PREFIX) :]: value.decode("utf-8", "replace") for name, value in _facts(record)}
    if "reason" not in facts:
        log.warning("no dead letter", kafka_topic=record.topic, partition=record.partition, offset=record.offset)
        return None
    origin, origin_offset = facts.get("topic", ""), _number(facts.get("offset"))
    envelope, fault = _envelope(record, max_bytes)
    agent: AgentId | None = None
    if envelope is not None:
        try:
            agent = _agent(envelope, record, agent_type, origin, facts.get("agent"))
        except AgentopicError as exc:
            fault = str(exc)
    return DeadLetter(
        agent_type=agent_type,
        partition=record.partition,
        offset=record.offset,
        origin=origin,
        origin_partition=_number(facts.get("partition")),
        origin_offset=origin_offset,
        reason=facts["reason"],
        message=facts.get("message", ""),
        attempts=max(0, _number(facts.get("attempts"))),
        first=_moment(facts.get("first")) or _moment(facts.get("time")),
        time=_moment(facts.get("time")),
        agent=agent,
        event=None if envelope is None else _event(envelope),
        fault=fault,
    )


def letter_envelope(record: Record, max_bytes: int) -> Envelope:
    """Return the event in a letter, as it was sent.

    Raises:
        EnvelopeError: it holds none, or one that is larger than allowed.
    """
    return decode_record(original_headers(record.headers), record.value, key=record.key, max_bytes=max_bytes)


# ── parts ──────────────────────────────────────────────────────────────────────────────────────────────────


def _envelope(record: Record, max_bytes: int) -> tuple[Envelope | None, str]:
    try:
        return letter_envelope(record, max_bytes), ""
    except AgentopicError as exc:
        return None, str(exc)


def _event(envelope: Envelope) -> Event:
    return Event(
        source=envelope.source,
        id=envelope.id,
        type=envelope.type,
        subject=envelope.subject,
        run=envelope.correlationid or envelope.id,
        redrive=envelope.agredrive,
        expiry=envelope.expirytime,
        is_request=envelope.agmsgkind == names.KIND_REQUEST,
    )


def _agent(envelope: Envelope, record: Record, agent_type: str, origin: str, fact: str | None) -> AgentId:
    """Return the agent a letter is about: as its facts say, else as the record would have been routed."""
    if fact is not None:
        return AgentId.from_str(fact)
    parsed, key = parse_topic(origin), envelope.agtargetkey
    if key is None or parsed is None or parsed.kind != "agent":
        key = topic_source(envelope, record.key)
    return AgentId(agent_type, key)


def _death(letter: DeadLetter) -> object:
    """Return what two copies of one letter have in common: an outbox may write a row twice."""
    where = letter.origin, letter.origin_partition, letter.origin_offset
    return where, letter.time, letter.event and (letter.event.source, letter.event.id, letter.event.redrive)


def _name(letter: DeadLetter, event: Event) -> object:
    return letter.agent, letter.is_unsent and letter.origin, event.source, event.id


def _facts(record: Record) -> Sequence[tuple[str, bytes]]:
    return [(name, value) for name, value in record.headers if name.startswith(PREFIX)]


def _number(text: str | None) -> int:
    digits = (text or "").removeprefix("-")
    return int(text or "") if digits.isascii() and digits.isdecimal() and len(digits) < 20 else _UNSENT


def _moment(text: str | None) -> datetime | None:
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment is None or moment.tzinfo is None else moment


def _millis(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()
