from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diskcache
import pytest
from redis import Redis, SSLConnection

from agentopic.core import CacheStore, ComponentModel
from agentopic.core.models import CreateResult, RequestUsage, UserMessage
from agentopic.ext.cache_store.diskcache import DiskCacheStore
from agentopic.ext.cache_store.redis import RedisStore
from agentopic.ext.models.cache import ChatCompletionCache
from agentopic.ext.models.replay import ReplayChatCompletionClient

RESULT = CreateResult(finish_reason="stop", content="x", usage=RequestUsage(1, 2), cached=False)
HELLO = [UserMessage(content="hello", source="user")]


@pytest.fixture(params=["disk", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CacheStore[Any]]:
    if request.param == "disk":
        with diskcache.Cache(str(tmp_path / "cache")) as cache:
            yield DiskCacheStore(cache)
        return
    with Redis.from_url(request.getfixturevalue("redis_url")) as client:
        client.flushdb()
        yield RedisStore(client)


@pytest.mark.parametrize("value", ["text", 3, [1, 2], ["a", {"b": 1}]])
def test_values_come_back(store: CacheStore[Any], value: Any) -> None:
    store.set("k", value)

    assert store.get("k") == value
    assert store.get("other") is None
    assert store.get("other", 4) == 4


def test_answers_come_back_as_answers_or_as_their_json(store: CacheStore[Any]) -> None:
    store.set("one", RESULT)
    store.set("items", ["x", RESULT])

    one, items = store.get("one"), store.get("items") or []

    assert CreateResult.model_validate(one) == RESULT
    assert [items[0], CreateResult.model_validate(items[1])] == ["x", RESULT]


async def test_a_second_client_finds_the_answers_of_the_first(store: CacheStore[Any]) -> None:
    await ChatCompletionCache(ReplayChatCompletionClient(["one", "two"]), store).create(HELLO)
    second = ChatCompletionCache(ReplayChatCompletionClient([]), store)

    result = await second.create(HELLO)
    items = [item async for item in second.create_stream(HELLO)]

    assert (result.content, result.cached) == ("one", True)
    assert isinstance(items[-1], CreateResult)
    assert (items[0], items[-1].content, items[-1].cached) == ("one", "one", True)


async def test_a_stream_is_found_again_too(store: CacheStore[Any]) -> None:
    first = ChatCompletionCache(ReplayChatCompletionClient(["one two"]), store)
    _ = [item async for item in first.create_stream(HELLO)]
    second = ChatCompletionCache(ReplayChatCompletionClient([]), store)

    items = [item async for item in second.create_stream(HELLO)]

    assert items[:-1] == ["one ", "two"]
    assert isinstance(items[-1], CreateResult)
    assert items[-1].cached


def test_redis_that_does_not_answer_is_a_cache_without_the_value() -> None:
    with Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2) as nowhere:
        store: RedisStore[Any] = RedisStore(nowhere)
        store.set("k", 1)

        assert store.get("k", 7) == 7


def test_a_directory_is_a_component(tmp_path: Path) -> None:
    with diskcache.Cache(str(tmp_path)) as cache:
        DiskCacheStore[Any](cache).set("k", 1)
        dumped = DiskCacheStore[Any](cache).dump_component()
    loaded = CacheStore.load_component(dumped, DiskCacheStore)

    assert dumped.provider == "autogen_ext.cache_store.diskcache.DiskCacheStore"
    assert loaded.get("k") == 1
    loaded.cache.close()


def test_a_redis_password_is_not_written() -> None:
    with Redis(host="h", port=7, db=2, password="hunter2hunter2") as client:
        dumped: ComponentModel = RedisStore[Any](client).dump_component()
    shown = dumped.model_dump_json()
    loaded = CacheStore.load_component(ComponentModel.model_validate_json(shown), RedisStore)

    assert "hunter2" not in shown
    assert dumped.provider == "autogen_ext.cache_store.redis.RedisStore"
    assert (dumped.config["host"], dumped.config["port"], dumped.config["db"]) == ("h", 7, 2)
    assert loaded.cache.connection_pool.connection_kwargs.get("password") is None
    loaded.cache.close()


@pytest.mark.parametrize("ssl", [True, False])
def test_a_redis_behind_tls_is_reached_by_tls_again(ssl: bool) -> None:
    with Redis(host="h", ssl=ssl) as client:
        dumped: ComponentModel = RedisStore[Any](client).dump_component()
    loaded = CacheStore.load_component(dumped, RedisStore)

    assert issubclass(loaded.cache.connection_pool.connection_class, SSLConnection) == ssl
    loaded.cache.close()
