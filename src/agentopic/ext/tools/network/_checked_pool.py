"""Connections that are made only to addresses a policy has let pass."""

from __future__ import annotations

import functools
import logging
import ssl
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import cast

import httpcore
import httpx

from agentopic.ext.tools.network._network_policy import NetworkPolicy

_ours: ContextVar[bool] = ContextVar("agentopic_checked_pool", default=False)


def _says_no_headers(record: logging.LogRecord) -> bool:
    """Keep the cookies of our exchanges out of httpcore's debug log; other users of httpcore keep their lines."""
    return not (_ours.get() and "response_headers" in record.getMessage())


logging.getLogger("httpcore.http11").addFilter(_says_no_headers)


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name once, judges what it found, and connects to exactly that."""

    def __init__(self, policy: NetworkPolicy) -> None:
        self._policy = policy
        self._plain = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._policy.resolve(host, port)
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        await self._plain.sleep(seconds)


@asynccontextmanager
async def checked_pool(policy: NetworkPolicy) -> AsyncGenerator[httpcore.AsyncConnectionPool]:
    """A pool for one exchange; it knows no proxy, no cookie and no password file."""
    token = _ours.set(True)
    try:
        backend = _CheckedBackend(policy)
        async with httpcore.AsyncConnectionPool(ssl_context=_ssl_context(), network_backend=backend) as pool:
            yield pool
    finally:
        _ours.reset(token)


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
