"""The names and limits of CloudEvents attributes: the one place where they are spelled."""

from __future__ import annotations

from typing import Final

# ── the core of CloudEvents 1.0 (specification, section "Context Attributes") ──────────────────────────────

SPECVERSION: Final = "1.0"
"""The only specification version that is read and written."""

CORE: Final = frozenset({"id", "source", "type", "specversion", "subject", "time", "datacontenttype", "dataschema"})
"""Attributes with a field of their own; everything else is an extension."""

RESERVED: Final = CORE | {"data"}
"""Names an extension must not have."""

# ── published extensions, used as their documents define them ──────────────────────────────────────────────

CORRELATIONID: Final = "correlationid"
"""The run: the id of the root event that caused everything else (extension "correlation")."""

CAUSATIONID: Final = "causationid"
"""The id of the event whose handling caused this one (extension "correlation")."""

TRACEPARENT: Final = "traceparent"
"""W3C trace context of the sender (extension "distributed tracing")."""

TRACESTATE: Final = "tracestate"
"""Vendor part of the W3C trace context (extension "distributed tracing")."""

EXPIRYTIME: Final = "expirytime"
"""RFC 3339 time after which the event is of no use (extension "expirytime")."""

PARTITIONKEY: Final = "partitionkey"
"""What events are to be grouped by (extension "partitioning"); becomes a record key only on demand."""

DATAREF: Final = "dataref"
"""URI of the payload when it does not travel with the event (extension "dataref")."""

# ── agentopic's own and AutoGen's (prefix `ag`) ────────────────────────────────────────────────────────────

AGTOPICTYPE: Final = "agtopictype"
"""Type of the TopicId a publish is meant for."""

AGTOPICSOURCE: Final = "agtopicsource"
"""Source of the TopicId a publish is meant for."""

AGMSGKIND: Final = "agmsgkind"
"""What the event is: one of `MESSAGE_KINDS`; absent on events of outside publishers."""

AGAGENTSENDERTYPE: Final = "agagentsendertype"
"""Type of the agent that sent the event."""

AGAGENTSENDERKEY: Final = "agagentsenderkey"
"""Key of the agent that sent the event."""

AGTARGETTYPE: Final = "agtargettype"
"""Type of the agent a request is for."""

AGTARGETKEY: Final = "agtargetkey"
"""Key of the agent a request is for."""

AGREQUESTID: Final = "agrequestid"
"""The request a request, reply or fault belongs to; the same on every repetition of it."""

AGREPLYTO: Final = "agreplyto"
"""Where the answer of a request goes."""

AGCALLCHAIN: Final = "agcallchain"
"""The agents that wait for one another, outermost first; finds call cycles."""

AGATTEMPT: Final = "agattempt"
"""Integer: the attempt of the turn that sent the event."""

AGREDRIVE: Final = "agredrive"
"""Integer: how often the event was sent again from the dead letters."""

AGFRESH: Final = "agfresh"
"""The redrive number from which on recorded steps are used again; set when they are not to be, by a fresh redrive."""

AGHOPS: Final = "aghops"
"""Integer: how many agents the chain of causes has passed."""

AGDATASHA256: Final = "agdatasha256"
"""SHA-256 of the payload that `dataref` names, in lower-case hexadecimal: what is fetched must have it."""

KIND_PUBLISH: Final = "publish"
KIND_REQUEST: Final = "request"
KIND_REPLY: Final = "reply"
KIND_FAULT: Final = "fault"
KIND_STREAM: Final = "stream"
KIND_CONTROL: Final = "control"
KIND_WAKE: Final = "wake"
KIND_ACK: Final = "ack"

MESSAGE_KINDS: Final = frozenset(
    {KIND_PUBLISH, KIND_REQUEST, KIND_REPLY, KIND_FAULT, KIND_STREAM, KIND_CONTROL, KIND_WAKE, KIND_ACK}
)
"""The values `agmsgkind` has on events of agentopic."""

KNOWN_EXTENSIONS: Final = frozenset(
    {
        CORRELATIONID,
        CAUSATIONID,
        TRACEPARENT,
        TRACESTATE,
        EXPIRYTIME,
        PARTITIONKEY,
        DATAREF,
        AGTOPICTYPE,
        AGTOPICSOURCE,
        AGMSGKIND,
        AGAGENTSENDERTYPE,
        AGAGENTSENDERKEY,
        AGTARGETTYPE,
        AGTARGETKEY,
        AGREQUESTID,
        AGREPLYTO,
        AGCALLCHAIN,
        AGATTEMPT,
        AGREDRIVE,
        AGHOPS,
        AGDATASHA256,
    }
)
"""Extensions agentopic gives a meaning to; they must be right where they appear."""

INTEGER_EXTENSIONS: Final = frozenset({AGATTEMPT, AGREDRIVE, AGHOPS})
"""Extensions whose value is an Integer; bindings that carry only text restore the number."""

# ── limits ─────────────────────────────────────────────────────────────────────────────────────────────────

IDENTITY: Final = frozenset(
    {
        "id",
        "source",
        "type",
        "subject",
        PARTITIONKEY,
        AGTOPICSOURCE,
        AGAGENTSENDERKEY,
        AGTARGETKEY,
        AGREQUESTID,
        CORRELATIONID,
        CAUSATIONID,
    }
)
"""Attributes that become keys of indexes and therefore have the short limit."""

MAX_IDENTITY_BYTES: Final = 1024
"""UTF-8 length of an identity attribute and of a record key, at most."""

MAX_ATTRIBUTE_BYTES: Final = 64 * 1024
"""UTF-8 length of any other attribute, at most."""

MAX_ATTRIBUTES: Final = 256
"""Headers of one message, foreign ones included, at most."""

MAX_EVENT_BYTES: Final = 1024 * 1024
"""Default size of one event on the wire, at most: key, headers and value together."""

INTEGER_MIN: Final = -(2**31)
INTEGER_MAX: Final = 2**31 - 1
"""Range of the CloudEvents type Integer."""
