"""`DiskCacheStore`: cached values in a directory, by the diskcache library."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Self, TypeVar, cast

from pydantic import BaseModel

from agentopic.core import CacheStore, Component
from agentopic.errors import MissingExtraError

if find_spec("diskcache") is None:
    raise MissingExtraError("agentopic.ext.cache_store.diskcache", "diskcache")

import diskcache  # pyright: ignore[reportMissingTypeStubs] - it has none

T = TypeVar("T")


class DiskCacheStoreConfig(BaseModel):
    """Config of DiskCacheStore."""

    directory: str
    """Where the values lie; made when it is not there."""


class DiskCacheStore(CacheStore[T], Component[DiskCacheStoreConfig]):
    """Keeps values in the given `diskcache.Cache`, which its caller closes.

    Several processes of one machine may share a directory. What is no text, number or bytes is pickled: only load
    from directories that nobody else can write.
    """

    component_provider_override = "autogen_ext.cache_store.diskcache.DiskCacheStore"
    component_config_schema = DiskCacheStoreConfig

    def __init__(self, cache_instance: diskcache.Cache) -> None:
        self.cache: Any = cache_instance

    def get(self, key: str, default: T | None = None) -> T | None:
        """The value under `key`, or `default`."""
        return cast("T | None", self.cache.get(key, default))

    def set(self, key: str, value: T) -> None:
        """Keep `value` under `key`, replacing what was there."""
        self.cache.set(key, value)

    def _to_config(self) -> DiskCacheStoreConfig:
        return DiskCacheStoreConfig(directory=str(self.cache.directory))

    @classmethod
    def _from_config(cls, config: DiskCacheStoreConfig) -> Self:
        return cls(diskcache.Cache(config.directory))
