"""Secrets are taken out of log events before anything is written."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, cast

from agentopic.concealment import MASK, redacted

_SECRET_NAME: Final = re.compile(
    r"(?i)(?:^|[_-])(?:api[_-]?key|authorization|cookie|credentials?|passw(?:or)?d|secret|token)s?$"
)
_DEPTH: Final = 6


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask values under names that mean a secret, and keys and passwords in any text (a structlog processor)."""
    for name, value in event.items():
        event[name] = _redacted(name, value, _DEPTH)
    return event


def _redacted(name: str, value: object, depth: int) -> object:
    if isinstance(value, str):
        return MASK if value and _SECRET_NAME.search(name) else redacted(value)
    if depth == 0:
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {key: _redacted(str(key), each, depth - 1) for key, each in items}
    if isinstance(value, (list, tuple)):
        return [_redacted(name, each, depth - 1) for each in cast("list[object]", value)]
    return value
