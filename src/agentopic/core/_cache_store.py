"""`CacheStore`: a get/set store for reusable results, and its in-memory form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Self, TypeVar

from pydantic import BaseModel

from agentopic.core._component_config import Component, ComponentBase

T = TypeVar("T")


class CacheStore(ABC, ComponentBase[BaseModel], Generic[T]):
    """Keeps values under keys; a value may be gone at any time."""

    component_type = "cache_store"

    @abstractmethod
    def get(self, key: str, default: T | None = None) -> T | None:
        """The value under `key`, or `default`."""

    @abstractmethod
    def set(self, key: str, value: T) -> None:
        """Keep `value` under `key`, replacing what was there."""


class InMemoryStoreConfig(BaseModel):
    """Config of InMemoryStore; what is stored is not part of it."""


class InMemoryStore(CacheStore[T], Component[InMemoryStoreConfig]):
    """Keeps values in this process, without a bound."""

    component_provider_override = "autogen_core.InMemoryStore"
    component_config_schema = InMemoryStoreConfig

    def __init__(self) -> None:
        self.store: dict[str, T] = {}

    def get(self, key: str, default: T | None = None) -> T | None:
        return self.store.get(key, default)

    def set(self, key: str, value: T) -> None:
        self.store[key] = value

    def _to_config(self) -> InMemoryStoreConfig:
        return InMemoryStoreConfig()

    @classmethod
    def _from_config(cls, config: InMemoryStoreConfig) -> Self:
        return cls()
