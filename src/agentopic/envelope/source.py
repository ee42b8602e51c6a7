"""The `source` of what an agent publishes: `/<namespace>/agents/<type>/<key>`, percent-encoded.

Where that would be longer than a source may be, a digest of the key follows an empty segment instead: an agent is
never addressed under a key that its own answers could not name.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import quote, unquote

from agentopic.envelope.attributes import MAX_IDENTITY_BYTES
from agentopic.errors import EnvelopeError

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")  # RFC 3986, section 2.3


class AgentSource(NamedTuple):
    """Who published: an agent of a namespace."""

    namespace: str
    agent_type: str
    agent_key: str


def agent_source(namespace: str, agent_type: str, agent_key: str) -> str:
    """Return the URI-reference of an agent, at most 1 KiB long; different agents have different ones.

    Raises:
        EnvelopeError: a part has no UTF-8 form (a lone surrogate).
    """
    try:
        agents, key = f"/{_quoted(namespace)}/agents/{_quoted(agent_type)}/", _quoted(agent_key)
    except UnicodeEncodeError as exc:
        raise EnvelopeError(f"agent {agent_type!r}/{agent_key!r} cannot be named in a source: {exc.reason}") from exc
    if len(agents) + len(key) <= MAX_IDENTITY_BYTES:
        return agents + key
    return f"{agents}/{blake2b(key.encode(), digest_size=16).hexdigest()}"


def parse_agent_source(source: str) -> AgentSource | None:
    """Return the agent that a source names; None when it is no agent's source, or holds a digest of the key."""
    parts = source.split("/")
    if len(parts) != 5 or parts[0] or parts[2] != "agents":
        return None
    namespace, agent_type, agent_key = unquote(parts[1]), unquote(parts[3]), unquote(parts[4])
    # Only the form that `agent_source` writes names an agent: two texts never name the same one.
    return AgentSource(namespace, agent_type, agent_key) if _is_canonical(source, parts) else None


def _quoted(part: str) -> str:
    return part if _UNRESERVED.fullmatch(part) is not None else quote(part, "")


def _is_canonical(source: str, parts: list[str]) -> bool:
    try:
        return source == agent_source(*(unquote(parts[index], errors="strict") for index in (1, 3, 4)))
    except (UnicodeDecodeError, EnvelopeError):
        return False
