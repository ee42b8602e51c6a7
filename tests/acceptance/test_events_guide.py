"""What docs/events.md tells other teams about records is what they find in them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agentopic import AgentService, DurableRuntime, payload
from agentopic.core import AgentId, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.envelope.kafka_topics import topic_events
from agentopic.ports.transport import Record, TopicPartition

GUIDE = (Path(__file__).parents[2] / "docs" / "events.md").read_text()


@payload("shop.Order.v1")
@dataclass
class Order:
    item: str


class Shop(RoutedAgent):
    sold_out = False

    def __init__(self) -> None:
        super().__init__("confirms orders")

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> Order:
        if self.sold_out:
            raise RuntimeError("sold out")
        if not ctx.is_rpc:
            await self.publish_message(message, TopicId("confirmed", self.id.key))
        return message


@pytest.fixture
async def runtime(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DurableRuntime]:
    monkeypatch.setattr(Shop, "sold_out", False)
    runtime = DurableRuntime("memory://", "memory://", namespace="agentopic", partitions=1)
    orders = TypeSubscription("orders", "shop")
    await AgentService(
        "shop", Shop, subscriptions=[orders], publishes={"confirmed": Order}, stateless=True
    ).register(runtime)  # fmt: skip
    async with runtime:
        yield runtime


async def first(runtime: DurableRuntime, kafka_topic: str) -> Record:
    """Wait for the first record of a topic of one partition."""
    reader = await runtime.mesh.transport.reader("guide")
    await reader.assign({TopicPartition(kafka_topic, 0): 0})
    records: list[Record] = []
    while not records:
        records = [*await reader.read(1, 1.0)]
    await reader.aclose()
    return records[0]


def names(record: Record, prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name, _ in record.headers if name.startswith(prefix)}


def documented(heading: str) -> set[str]:
    """The words in code marks in the first column of the tables of a section."""
    section = GUIDE.split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


async def test_every_attribute_on_a_published_event_is_in_the_guide(runtime: DurableRuntime) -> None:
    await runtime.publish_message(Order("tea"), TopicId("orders", "ann"))

    record = await first(runtime, "agentopic.topic.confirmed")

    assert names(record, "ce_") - {"specversion"} <= documented("Subscribing")


async def test_every_attribute_on_requests_and_replies_is_in_the_guide(runtime: DurableRuntime) -> None:
    await runtime.send_message(Order("tea"), AgentId("shop", "ann"))

    for topic in ("agentopic.agent.shop", "agentopic.replies"):
        assert names(await first(runtime, topic), "ce_") - {"specversion"} <= documented("Subscribing")


async def test_a_dead_letter_has_exactly_the_headers_of_the_guide(runtime: DurableRuntime) -> None:
    Shop.sold_out = True
    await runtime.publish_message(Order("tea"), TopicId("orders", "ann"))

    letter = await first(runtime, "agentopic.dead.shop")

    listed = {word.removeprefix("agentopic.dead").removeprefix(".") for word in documented("Dead letters")}
    assert names(letter, "agentopic.dead.") == listed


def test_the_topic_name_of_the_guide_is_the_one_that_is_used() -> None:
    found = re.search(r"The topic type `([^`]+)` is\s+the\s+Kafka topic\s+`([^`]+)`", GUIDE)

    assert found is not None
    assert topic_events("agentopic", found[1]) == found[2]


async def test_the_topics_of_a_service_are_in_the_guide(runtime: DurableRuntime) -> None:
    shapes = documented("Topics")

    made = {spec.name for spec in runtime.topics_plan()}

    expected = {"topic": "orders", "agent": "shop", "control": "shop", "dead": "shop"}
    filled = {re.sub(r"<.*>", expected.get(shape.split(".")[1], ""), shape) for shape in shapes}
    assert filled | {"agentopic.topic.confirmed"} == made
