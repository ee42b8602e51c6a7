"""Secrets that travel in HTTP headers and addresses: known once given, and kept out of what HTTP libraries log."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from agentopic.concealment import MASK, conceal, passwords, redacted

_SECRET_HEADER: Final = re.compile(
    r"(?i)(?:^|-)(?:authorization|cookie|credentials?|(?:api|access|secret|subscription|functions)[_-]?key"
    r"|passw(?:or)?d|secret|token)$"
)
# What a server hands out, as the libraries write it: header pairs as bytes or texts, and MCP's sessions.
_HANDED_OUT: Final = re.compile(
    r"(?i)(?P<lead>\bset-cookie'[,:]\s*b?'|\bmcp-session-id'[,:]\s*b?'|\bsession id: )(?P<value>[^'\s]+)"
)
_LOGGERS: Final = (
    *(
        f"{library}.{part}"
        for library in ("httpcore", "httpcore2")
        for part in ("connection", "http11", "http2", "proxy")
    ),
    *("httpx", "httpx2", "hpack.hpack", "hpack.table", "openai._base_client", "anthropic._base_client"),
    *("mcp.client.streamable_http", "mcp.client.sse"),
)


def is_secret_header(name: str) -> bool:
    """Whether a header of this name carries credentials."""
    return _SECRET_HEADER.search(name) is not None


def conceal_headers(headers: Mapping[str, Any] | None) -> None:
    """Have the credentials among headers hidden from now on: whole, and without the scheme in front."""
    for name, value in (headers or {}).items():
        if is_secret_header(name):
            conceal(str(value), str(value).rpartition(" ")[2])


def conceal_url(url: str | None) -> None:
    """Have the credentials that an address carries hidden from now on."""
    conceal(*passwords(url or ""))


def _without_secrets(record: logging.LogRecord) -> bool:
    said = record.getMessage()
    shown = _HANDED_OUT.sub(lambda match: match["lead"] + MASK, redacted(said))
    if shown != said:
        record.msg, record.args = shown, ()
    return True


for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_without_secrets)
