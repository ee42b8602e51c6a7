"""What the CloudEvents specification and our limits demand of attribute names and values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias, cast

from agentopic.envelope.attributes import (
    EXPIRYTIME,
    IDENTITY,
    INTEGER_EXTENSIONS,
    INTEGER_MAX,
    INTEGER_MIN,
    KNOWN_EXTENSIONS,
    MAX_ATTRIBUTE_BYTES,
    MAX_IDENTITY_BYTES,
    RESERVED,
)
from agentopic.envelope.timestamp import parse_time
from agentopic.errors import EnvelopeError

ExtensionValue: TypeAlias = str | int | bool | bytes
"""CloudEvents types an extension can have; URIs and timestamps are text."""

_NAME = re.compile(r"[a-z0-9]+")
_INTEGER = re.compile(r"-?[0-9]{1,10}")
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - the `token` of RFC 7230
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(\s*;.*)?")
_COMMON_MEDIA_TYPES = frozenset({"application/json", "application/x-protobuf", "text/plain"})
# Controls, surrogates and the noncharacters of Unicode: what the type String excludes.
_EXCLUDED = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_KNOWN_TEXT = KNOWN_EXTENSIONS - INTEGER_EXTENSIONS
_SHORT = MAX_IDENTITY_BYTES // 4  # no text of so few characters can exceed a limit


def check_text(name: str, value: str) -> None:
    """Check that a value is a CloudEvents String within its limit.

    Raises:
        EnvelopeError: a control character, lone surrogate or noncharacter, or a text that is too long.
    """
    if not value.isprintable() and (found := _EXCLUDED.search(value)) is not None:
        raise EnvelopeError(
            f"attribute {name!r} contains U+{ord(found[0]):04X} at {found.start()}: CloudEvents forbids"
            " control characters, lone surrogates and noncharacters; move such text into the data"
        )
    if len(value) > _SHORT:
        limit = MAX_IDENTITY_BYTES if name in IDENTITY else MAX_ATTRIBUTE_BYTES
        if (size := len(value.encode())) > limit:
            raise EnvelopeError(
                f"attribute {name!r} has {size} bytes, more than {limit}: shorten it or move it into the data"
            )


def check_required(name: str, value: object) -> None:
    """Check an attribute that must be a non-empty String.

    Raises:
        EnvelopeError: it is missing, empty, no text or no CloudEvents String.
    """
    if type(value) is str and 0 < len(value) <= _SHORT and value.isprintable():
        return
    if not isinstance(value, str):
        raise EnvelopeError(f"attribute {name!r} must be a string, not {type(value).__name__}")
    if not value:
        raise EnvelopeError(f"attribute {name!r} is missing or empty: give it a value")
    check_text(name, value)


def check_media_type(value: object) -> None:
    """Check that `datacontenttype` is a media type (RFC 2046).

    Raises:
        EnvelopeError: it is not of the form type/subtype.
    """
    if value in _COMMON_MEDIA_TYPES:
        return
    check_required("datacontenttype", value)
    if _MEDIA_TYPE.fullmatch(cast("str", value)) is None:
        raise EnvelopeError(
            f"attribute 'datacontenttype' is no media type: {cast('str', value)[:64]!r}; write it like application/json"
        )


def is_attribute_name(name: str) -> bool:
    """Tell whether a name can be that of an extension: lower-case letters and digits, not reserved."""
    return name in KNOWN_EXTENSIONS or (_NAME.fullmatch(name) is not None and name not in RESERVED)


def checked_extensions(extensions: Mapping[str, ExtensionValue]) -> dict[str, ExtensionValue]:
    """Return a checked copy, with numbers restored where an extension is an Integer.

    Raises:
        EnvelopeError: a name or value that CloudEvents or an extension's definition forbids.
    """
    checked: dict[str, ExtensionValue] = {}
    for name, value in extensions.items():
        if name in _KNOWN_TEXT and type(value) is str and len(value) <= _SHORT and value.isprintable():
            checked[name] = value  # almost always: nothing can be wrong with it
            continue
        if name not in KNOWN_EXTENSIONS and not is_attribute_name(name):
            raise EnvelopeError(f"extension name {name[:64]!r} is not allowed: use lower-case letters and digits")
        if type(value) is str:
            check_text(name, value)
            checked[name] = _integer(name, value) if name in INTEGER_EXTENSIONS else value
        else:
            checked[name] = _checked_other(name, value)
    if (expiry := checked.get(EXPIRYTIME)) is not None:
        parse_time(expiry if isinstance(expiry, str) else repr(expiry), attribute=EXPIRYTIME)
    return checked


def _checked_other(name: str, value: object) -> ExtensionValue:
    if name in INTEGER_EXTENSIONS and (isinstance(value, bool) or not isinstance(value, int)):
        raise EnvelopeError(f"extension {name!r} must be an integer, not {type(value).__name__}")
    if name in _KNOWN_TEXT:
        raise EnvelopeError(f"extension {name!r} must be a string, not {type(value).__name__}")
    if isinstance(value, bool | bytes):
        return value
    if not isinstance(value, int):
        raise EnvelopeError(f"extension {name!r} is of type {type(value).__name__}: use str, int, bool or bytes")
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise EnvelopeError(f"extension {name!r} is {value}, outside of 32 bits: send it as a string")
    return value


def _integer(name: str, text: str) -> int:
    if _INTEGER.fullmatch(text) is None or not INTEGER_MIN <= (number := int(text)) <= INTEGER_MAX:
        raise EnvelopeError(f"extension {name!r} must be a 32-bit integer, not {text[:64]!r}")
    return number
