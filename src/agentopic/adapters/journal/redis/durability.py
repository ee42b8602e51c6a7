"""Whether a server keeps what it has acknowledged: looked at on each new connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from agentopic.errors import ConfigError

_OLDEST = (6, 2)
_WANTED = {
    "appendonly": ("yes", "it keeps nothing over a crash"),
    "appendfsync": ("always", "it acknowledges before it has stored: a crash loses the last second"),
    "no-appendfsync-on-rewrite": ("no", "it stops storing while it rewrites its file"),
}


async def require_durable(connection: AbstractConnection, place: str) -> None:
    """Make sure that this is a primary whose acknowledgement means stored.

    Raises:
        ConfigError: it is not, or it does not tell; the message says what to change.
    """
    info = await _info(connection)
    if tuple(int(part) for part in info["redis_version"].split(".")[:2]) < _OLDEST:
        raise ConfigError(f"the Redis at {place} has version {info['redis_version']}: a journal needs 6.2 or later")
    if info["role"] != "master":
        primary = f"{info.get('master_host', 'its primary')}:{info.get('master_port', '')}"
        raise ConfigError(f"the Redis at {place} is a replica and stores nothing: name the primary, {primary}")
    try:
        settings = {**await _settings(connection, "*append*"), **await _settings(connection, "maxmemory*")}
    except ResponseError as exc:
        raise ConfigError(
            f"the Redis at {place} does not tell how it stores ({exc}): a whole journal needs a server that shows "
            "`appendonly yes` and `appendfsync always` by CONFIG GET; keep the journal in PostgreSQL and use this "
            "server as AGENTOPIC_SNAPSHOT_CACHE"
        ) from exc
    _judge(place, settings)


def _judge(place: str, settings: Mapping[str, str]) -> None:
    for name, (wanted, reason) in _WANTED.items():
        if settings.get(name) != wanted:
            raise ConfigError(
                f"the Redis at {place} cannot hold a journal, {reason}: it has `{name} {settings.get(name)}`; set "
                f"`{name} {wanted}` in redis.conf, or keep the journal in PostgreSQL"
            )
    if settings.get("maxmemory") != "0" and settings.get("maxmemory-policy") != "noeviction":
        raise ConfigError(
            f"the Redis at {place} forgets keys when memory is short: set `maxmemory-policy noeviction`, it has "
            f"`{settings.get('maxmemory-policy')}`"
        )


async def _info(connection: AbstractConnection) -> Mapping[str, str]:
    text = cast("bytes", await _ask(connection, "INFO")).decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


async def _settings(connection: AbstractConnection, pattern: str) -> Mapping[str, str]:
    flat = [part.decode() for part in cast("list[bytes]", await _ask(connection, "CONFIG", "GET", pattern))]
    return dict(zip(flat[::2], flat[1::2], strict=True))


async def _ask(connection: AbstractConnection, *command: str) -> Any:
    await connection.send_command(*command)
    return cast("Any", await connection.read_response())
