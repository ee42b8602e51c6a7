"""Record headers as one column of the database."""

from __future__ import annotations

from functools import lru_cache

from agentopic.adapters.journal.text import check_text
from agentopic.envelope import kafka_headers
from agentopic.ports.transport import Headers

unpack_headers = kafka_headers.unpack_headers


def pack_headers(headers: Headers) -> bytes:
    """Encode headers.

    Raises:
        ValueRefusedError: a name holds NUL or a lone surrogate.
    """
    _check_names(tuple([name for name, _ in headers]))
    return kafka_headers.pack_headers(headers)


@lru_cache(maxsize=1024)
def _check_names(names: tuple[str, ...]) -> None:
    for name in names:
        check_text("header name", name)
