"""Typed access to the extensions that agentopic gives a meaning to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from agentopic.envelope import attributes as names
from agentopic.envelope.timestamp import parse_time
from agentopic.envelope.validation import ExtensionValue


class PublishedExtensions:
    """Properties over `extensions`, named as on the wire; absent text is None, absent counts are 0."""

    __slots__ = ()

    if TYPE_CHECKING:
        extensions: Mapping[str, ExtensionValue]

    @property
    def correlationid(self) -> str | None:
        """The run this event belongs to: the id of its root event."""
        return self._text(names.CORRELATIONID)

    @property
    def causationid(self) -> str | None:
        """The id of the event whose handling caused this one."""
        return self._text(names.CAUSATIONID)

    @property
    def traceparent(self) -> str | None:
        """W3C trace context of the sender."""
        return self._text(names.TRACEPARENT)

    @property
    def tracestate(self) -> str | None:
        """Vendor part of the W3C trace context."""
        return self._text(names.TRACESTATE)

    @property
    def expirytime(self) -> datetime | None:
        """When the event stops being of use, aware."""
        text = self._text(names.EXPIRYTIME)
        return None if text is None else parse_time(text, attribute=names.EXPIRYTIME)

    @property
    def partitionkey(self) -> str | None:
        """What the publisher wants events to be grouped by."""
        return self._text(names.PARTITIONKEY)

    @property
    def dataref(self) -> str | None:
        """URI of a payload that does not travel with the event."""
        return self._text(names.DATAREF)

    @property
    def agdatasha256(self) -> str | None:
        """SHA-256 of the payload that `dataref` names."""
        return self._text(names.AGDATASHA256)

    @property
    def agtopictype(self) -> str | None:
        """Type of the TopicId a publish is meant for."""
        return self._text(names.AGTOPICTYPE)

    @property
    def agtopicsource(self) -> str | None:
        """Source of the TopicId a publish is meant for; may be empty."""
        return self._text(names.AGTOPICSOURCE)

    @property
    def agmsgkind(self) -> str | None:
        """What the event is: publish, request, reply, fault or stream."""
        return self._text(names.AGMSGKIND)

    @property
    def agagentsendertype(self) -> str | None:
        """Type of the sending agent."""
        return self._text(names.AGAGENTSENDERTYPE)

    @property
    def agagentsenderkey(self) -> str | None:
        """Key of the sending agent; may be empty."""
        return self._text(names.AGAGENTSENDERKEY)

    @property
    def agtargettype(self) -> str | None:
        """Type of the agent a request is for."""
        return self._text(names.AGTARGETTYPE)

    @property
    def agtargetkey(self) -> str | None:
        """Key of the agent a request is for; may be empty."""
        return self._text(names.AGTARGETKEY)

    @property
    def agrequestid(self) -> str | None:
        """The request that a request, reply or fault belongs to."""
        return self._text(names.AGREQUESTID)

    @property
    def agreplyto(self) -> str | None:
        """Where the answer of a request goes."""
        return self._text(names.AGREPLYTO)

    @property
    def agcallchain(self) -> str | None:
        """The agents that wait for one another, outermost first."""
        return self._text(names.AGCALLCHAIN)

    @property
    def agattempt(self) -> int:
        """The attempt of the turn that sent the event."""
        return self._count(names.AGATTEMPT)

    @property
    def agredrive(self) -> int:
        """How often the event was sent again from the dead letters."""
        return self._count(names.AGREDRIVE)

    @property
    def aghops(self) -> int:
        """How many agents the chain of causes has passed."""
        return self._count(names.AGHOPS)

    @property
    def next_hops(self) -> int:
        """The `aghops` of what this event causes; stays at the largest number there is."""
        return min(self.aghops + 1, names.INTEGER_MAX)

    def _text(self, name: str) -> str | None:
        value = self.extensions.get(name)
        return value if isinstance(value, str) else None

    def _count(self, name: str) -> int:
        value = self.extensions.get(name)
        return value if isinstance(value, int) else 0
