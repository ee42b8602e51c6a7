"""The Python types that stand for JSON Schema's types, formats and limits."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated, Any, Final

from pydantic import UUID1, UUID3, UUID4, UUID5, AnyUrl, Field, Json

SIMPLE: Final[Mapping[str, Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": type(None),
}
"""The types that hold no others."""

FORMATS: Final[Mapping[str, Any]] = {
    "uuid": uuid.UUID, "uuid1": UUID1, "uuid3": UUID3, "uuid4": UUID4, "uuid5": UUID5,
    "date": dt.date, "time": dt.time, "date-time": dt.datetime, "duration": dt.timedelta,
    "uri": AnyUrl, "email": Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")],
    "ipv4": IPv4Address, "ipv6": IPv6Address, "ipv4-network": IPv4Network, "ipv6-network": IPv6Network,
    "int32": Annotated[int, Field(ge=-(2**31), lt=2**31)], "int64": Annotated[int, Field(ge=-(2**63), lt=2**63)],
    "float": float, "double": float, "decimal": float,
    "byte": bytes, "binary": bytes, "json": Json[Any],
}  # fmt: skip
"""What a `format` makes of a value; any other format says nothing that is checked."""

_LIMITS: Final[Mapping[str, str]] = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minItems": "min_length",
    "maxItems": "max_length",
}


def limited(base: Any, schema: Mapping[str, Any]) -> Any:
    """The type with the limits that a schema sets."""
    limits = {ours: schema[theirs] for theirs, ours in _LIMITS.items() if theirs in schema}
    return Annotated[base, Field(**limits)] if limits else base
