"""The Lua scripts: each call's own text behind the parts that all share."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

_PARTS = (
    "base",
    "processes",
    "rows",
    "lanes",
    "waits",
    "ends",
    "marks",
    "steps",
    "agents",
    "spending",
    "burial",
    "requests",
)
"""In the order of their dependencies."""


class Script(NamedTuple):
    """One call of the port as the server runs it, in one piece."""

    name: str
    text: str
    digest: str
    """The name under which the server keeps it."""


@lru_cache(maxsize=64)
def script(name: str) -> Script:
    """Return the script of a call."""
    text = "".join((*map(_part, _PARTS), _text("calls", name)))
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


@lru_cache(maxsize=64)
def _part(name: str) -> str:
    return _text("parts", name)


def _text(folder: str, name: str) -> str:
    return (files("agentopic.adapters.journal.redis") / folder / f"{name}.lua").read_text(encoding="utf-8")
