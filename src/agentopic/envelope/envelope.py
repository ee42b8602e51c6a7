"""`Envelope`: one CloudEvent 1.0, immutable and valid from the moment it exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agentopic.envelope.attributes import SPECVERSION
from agentopic.envelope.extensions import PublishedExtensions
from agentopic.envelope.validation import (
    ExtensionValue,
    check_media_type,
    check_required,
    checked_extensions,
)
from agentopic.errors import EnvelopeError

if TYPE_CHECKING:
    from cloudevents.core.v1.event import CloudEvent


def _no_extensions() -> Mapping[str, ExtensionValue]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(PublishedExtensions):
    """A CloudEvent 1.0 around one payload.

    An instance is valid: names, types and limits are checked once, when it is made, and bindings rely on it.
    Two envelopes are equal when all their attributes and their data are; they hash by `source` and `id`.

    Raises:
        EnvelopeError: an attribute that CloudEvents 1.0 or a limit of `attributes` forbids.
    """

    id: str
    """Unique per `source`; at most 1 KiB."""
    source: str
    """URI-reference of who published; at most 1 KiB."""
    type: str
    """The payload's declared type name."""
    specversion: str = SPECVERSION
    """Always "1.0"."""
    subject: str | None = None
    """Conversation, run or entity the event is about; at most 1 KiB."""
    time: datetime | None = None
    """When it happened, aware; precise to the microsecond."""
    datacontenttype: str | None = None
    """Media type of `data`."""
    dataschema: str | None = None
    """URI of the schema `data` adheres to."""
    data: bytes | None = field(default=None, repr=False)
    """The payload as it travels; None is no payload, which is not the same as an empty one."""
    extensions: Mapping[str, ExtensionValue] = field(default_factory=_no_extensions)
    """All other attributes by name; a read-only copy of what was given."""

    def __post_init__(self) -> None:
        """Check every attribute; later code relies on it."""
        check_required("id", self.id)
        check_required("source", self.source)
        check_required("type", self.type)
        if self.specversion != SPECVERSION:
            raise EnvelopeError(f"attribute 'specversion' is {self.specversion!r}: publish CloudEvents {SPECVERSION}")
        if self.subject is not None:
            check_required("subject", self.subject)
        if self.datacontenttype is not None:
            check_media_type(self.datacontenttype)
        if self.dataschema is not None:
            check_required("dataschema", self.dataschema)
        if self.time is not None:
            _check_time(self.time)
        if self.data is not None:
            _check_data(self.data)
        object.__setattr__(self, "extensions", MappingProxyType(checked_extensions(self.extensions)))

    @classmethod
    def restored(
        cls,
        core: Mapping[str, str],
        *,
        time: datetime | None,
        data: bytes | None,
        extensions: dict[str, ExtensionValue],
    ) -> Envelope:
        """Return an event whose attributes were checked before it was put away: nothing is looked at again.

        `core` are the core attributes that are texts; `extensions` belongs to the event from now on.
        """
        self, give, find = object.__new__(cls), object.__setattr__, core.get
        give(self, "id", core["id"])
        give(self, "source", core["source"])
        give(self, "type", core["type"])
        give(self, "specversion", SPECVERSION)
        give(self, "subject", find("subject"))
        give(self, "time", time)
        give(self, "datacontenttype", find("datacontenttype"))
        give(self, "dataschema", find("dataschema"))
        give(self, "data", data)
        give(self, "extensions", MappingProxyType(extensions))
        return self

    def __hash__(self) -> int:
        return hash((self.source, self.id))

    def __reduce__(self) -> tuple[Any, ...]:
        # The read-only view of the extensions can be neither pickled nor deep-copied.
        state = {each.name: getattr(self, each.name) for each in fields(self)}
        return _restore, (state | {"extensions": dict(self.extensions)},)

    def replace(self, **changes: Any) -> Envelope:
        """Return a checked copy with other values for the named fields.

        Raises:
            EnvelopeError: the result would not be a valid CloudEvent.
        """
        return replace(self, **changes)

    def with_extensions(self, **changes: ExtensionValue | None) -> Envelope:
        """Return a checked copy with these extensions set; None removes one.

        Raises:
            EnvelopeError: the result would not be a valid CloudEvent.
        """
        merged = {name: value for name, value in {**self.extensions, **changes}.items() if value is not None}
        return replace(self, extensions=merged)

    def to_sdk(self) -> CloudEvent:
        """Return the same event as the `cloudevents` SDK's type; see `agentopic.envelope.sdk.to_sdk`.

        Raises:
            MissingExtraError: the SDK is not installed.
        """
        from agentopic.envelope import sdk

        return sdk.to_sdk(self)

    @classmethod
    def from_sdk(cls, event: CloudEvent) -> Envelope:
        """Return the envelope of an event of the `cloudevents` SDK; see `agentopic.envelope.sdk.from_sdk`.

        Raises:
            EnvelopeError: the SDK's event is not a valid CloudEvent.
        """
        from agentopic.envelope import sdk

        return sdk.from_sdk(event)


def _restore(state: dict[str, Any]) -> Envelope:
    return Envelope(**state)


def _check_time(time: object) -> None:
    if not isinstance(time, datetime):
        raise EnvelopeError(f"attribute 'time' must be a datetime, not {type(time).__name__}")
    if time.utcoffset() is None:
        raise EnvelopeError(f"attribute 'time' has no time zone: {time!r}; use an aware datetime")


def _check_data(data: object) -> None:
    if not isinstance(data, bytes):
        raise EnvelopeError(f"data must be bytes or None, not {type(data).__name__}: serialize it first")
