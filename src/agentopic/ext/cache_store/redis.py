"""`RedisStore`: cached values in Redis, shared by all processes that reach it."""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec
from typing import Any, Self, TypeVar, cast

from pydantic import BaseModel, SecretStr

from agentopic.concealment import conceal
from agentopic.core import TRACE_LOGGER_NAME, CacheStore, Component
from agentopic.errors import MissingExtraError

if find_spec("redis") is None:
    raise MissingExtraError("agentopic.ext.cache_store.redis", "redis")

from redis import Redis, RedisError, SSLConnection

T = TypeVar("T")

_trace_log = logging.getLogger(TRACE_LOGGER_NAME)


class RedisStoreConfig(BaseModel):
    """Config of RedisStore; the password is masked in JSON."""

    host: str = "localhost"
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: SecretStr | None = None
    ssl: bool = False
    socket_timeout: float | None = None
    """Seconds."""


class RedisStore(CacheStore[T], Component[RedisStoreConfig]):
    """Keeps values in the given Redis, which its caller closes; pydantic values and lists as JSON.

    A pydantic value comes back as the JSON it was written as: the caller validates it. Redis that does not answer
    counts as a cache without the value, and is logged.
    """

    component_provider_override = "autogen_ext.cache_store.redis.RedisStore"
    component_config_schema = RedisStoreConfig

    def __init__(self, redis_instance: Redis) -> None:
        self.cache: Any = redis_instance

    def get(self, key: str, default: T | None = None) -> T | None:
        """The value under `key`, or `default`."""
        try:
            found: Any = self.cache.get(key)
        except RedisError as exc:
            _trace_log.warning("the cache in Redis does not answer: %s", exc)
            return default
        return default if found is None else cast("T", _decoded(found))

    def set(self, key: str, value: T) -> None:
        """Keep `value` under `key`, replacing what was there."""
        try:
            self.cache.set(key, _encoded(value))
        except RedisError as exc:
            _trace_log.warning("the cache in Redis does not take a value: %s", exc)

    def _to_config(self) -> RedisStoreConfig:
        given: dict[str, Any] = self.cache.connection_pool.connection_kwargs
        names = RedisStoreConfig.model_fields.keys() & {n for n, value in given.items() if value is not None}
        config = {name: given[name] for name in names}
        if issubclass(self.cache.connection_pool.connection_class, SSLConnection):
            config["ssl"] = True  # it is a class of connections, not one of their arguments
        if "password" in config:
            conceal(config["password"])
        return RedisStoreConfig(**config)

    @classmethod
    def _from_config(cls, config: RedisStoreConfig) -> Self:
        arguments = config.model_dump(exclude_none=True)
        if config.password is not None:
            arguments["password"] = config.password.get_secret_value()
            if not arguments["password"].strip("*"):  # only its mask was written
                del arguments["password"]
        return cls(Redis(**arguments))


def _encoded(value: Any) -> str | int | float | bytes:
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    if isinstance(value, str | bytes | int | float) and not isinstance(value, bool):
        return value
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} cannot be kept in Redis")


def _decoded(found: Any) -> Any:
    text = found.decode() if isinstance(found, bytes) else found
    try:
        return json.loads(text)
    except (json.JSONDecodeError, TypeError):
        return text
