"""The catalogue of topics: many who ask share one look, and nobody is answered from before they asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import pytest

from agentopic.core import (
    SingleThreadedAgentRuntime,
    Subscription,
    TopicId,
    TypePrefixSubscription,
    TypeSubscription,
)
from agentopic.core._kernel import Kernel
from agentopic.engine.options import EngineOptions
from agentopic.engine.routing import Router
from agentopic.engine.topics import TopicCatalog
from agentopic.errors import MissingTopicError, TransportError
from agentopic.ports.admin import OffsetRange, TopicSpec
from agentopic.ports.transport import TopicPartition

from .town import Note, Resident, Town, seeing, until


class SlowAdmin:
    """Answers with what there was when it was asked, once it is let."""

    def __init__(self) -> None:
        self.there: dict[str, int] = {}
        self.looks = 0
        self.is_away = False
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def topics(self) -> Mapping[str, int]:
        self.looks += 1
        there = dict(self.there)
        self.asked.set()
        await self.may_answer.wait()
        if self.is_away:
            raise TransportError("nobody answers")
        return there

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        self.there.update((each.name, each.partitions) for each in specs)

    async def offsets(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, OffsetRange]:
        return {}

    async def committed(self, group: str, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {}

    async def aclose(self) -> None:
        return


@pytest.fixture
def admin() -> SlowAdmin:
    return SlowAdmin()


@pytest.fixture
def catalog(admin: SlowAdmin) -> TopicCatalog:
    return TopicCatalog(admin, EngineOptions(namespace="town"))


async def test_many_first_publishes_share_one_look(admin: SlowAdmin, catalog: TopicCatalog):
    admin.there = {"town.topic.a": 1}
    admin.may_answer.set()

    await asyncio.gather(*(catalog.require("town.topic.a") for _ in range(100)))

    assert admin.looks == 1


async def test_a_look_under_way_does_not_answer_for_a_topic_that_came_later(admin: SlowAdmin, catalog: TopicCatalog):
    early = asyncio.create_task(catalog.refresh())
    await admin.asked.wait()
    admin.there = {"town.topic.late": 4}
    late = [asyncio.create_task(catalog.partitions("town.topic.late")) for _ in range(10)]
    await asyncio.sleep(0)
    admin.may_answer.set()

    counts = await asyncio.gather(*late)

    assert await early == {}
    assert counts == [4] * 10
    assert admin.looks == 2


async def test_a_look_that_failed_answers_nobody(admin: SlowAdmin, catalog: TopicCatalog):
    admin.there, admin.is_away = {"town.topic.a": 1}, True
    admin.may_answer.set()

    with pytest.raises(TransportError):
        await catalog.require("town.topic.a")
    admin.is_away = False
    await catalog.require("town.topic.a")

    assert admin.looks == 2


async def test_a_topic_that_is_missing_is_looked_for_each_time(admin: SlowAdmin, catalog: TopicCatalog):
    admin.may_answer.set()

    with pytest.raises(MissingTopicError):
        await catalog.require("town.topic.none")
    with pytest.raises(MissingTopicError):
        await catalog.require("town.topic.none")

    assert admin.looks == 2


def test_nothing_is_missing_when_the_named_topics_are_there():
    router = Router(_listening(TypeSubscription("orders", "clerk")), "town", "clerk")

    assert router.is_complete({"town.agent.clerk": 4, "town.topic.orders": 4, "town.topic.other": 1})
    assert not router.is_complete({"town.agent.clerk": 4})


def test_a_prefix_may_always_find_one_more_topic():
    router = Router(_listening(TypePrefixSubscription("orders", "clerk")), "town", "clerk")

    assert not router.is_complete({"town.agent.clerk": 4, "town.topic.orders": 4})


def _listening(subscription: Subscription) -> Kernel:
    kernel = Kernel(SingleThreadedAgentRuntime())
    kernel.add_subscription(subscription)
    return kernel


async def test_a_topic_that_a_prefix_finds_later_is_read_from_its_beginning(town: Town):
    seen: list[Note] = []
    runtime = town.runtime()
    await Resident.register(runtime, "clerk", lambda: Resident(seeing(seen)))
    await runtime.add_subscription(TypePrefixSubscription("order", "clerk"))
    await runtime.start()

    town.create("topic.orders")
    await runtime.publish_message(Note(number=7), TopicId("orders", "k"))
    await until(lambda: bool(seen), "the note was handled")

    assert [note.number for note in seen] == [7]
