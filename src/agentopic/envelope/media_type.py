"""What a media type says about the data it describes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


@lru_cache(maxsize=256)
def is_json_media_type(content_type: str) -> bool:
    """Tell whether the subtype is `json` or ends with `+json` (JSON event format, 3.1.1)."""
    subtype = essence(content_type).partition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


@lru_cache(maxsize=256)
def is_utf8_text(content_type: str) -> bool:
    """Tell whether the type is readable text in UTF-8 by its own declaration or by default."""
    kind = essence(content_type)
    readable = kind.startswith("text/") or kind == "application/xml" or kind.endswith("+xml")
    return readable and charset(content_type).lower() in _UTF8


def essence(content_type: str) -> str:
    """Return type/subtype in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def charset(content_type: str) -> str:
    """Return the charset parameter, `utf-8` when there is none."""
    # Imported here because it is slow to import and only data in text form needs it.
    from email.message import Message

    message = Message()
    message["content-type"] = content_type
    found = message.get_content_charset()
    return found or "utf-8"
