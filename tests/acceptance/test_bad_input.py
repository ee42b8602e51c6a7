"""Bad input ends in the dead-letter topic with its bytes unchanged; its neighbours are served; one log line tells."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload

from .durable_bed import DurableBed, durable_bed, durable_urls

LIMIT = 64 * 1024


@payload("bad.Order.v1")
class Order(BaseModel):
    number: int


@payload("bad.Receipt.v1")
class Receipt(BaseModel):
    number: int


class Clerk(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("writes a receipt for each order")

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        if message.number < 0:
            raise ValueError("a negative order")
        await self.publish_message(Receipt(number=message.number), TopicId("receipts", self.id.key))


SERVICE = AgentService(
    "clerk",
    Clerk,
    subscriptions=[TypeSubscription("orders", "clerk")],
    publishes={"receipts": Receipt},
    stateless=True,
)


def order(number: Any, *, event_id: str, event_type: str = "bad.Order.v1", pad: int = 0) -> dict[str, Any]:
    """Return a valid event around what may not be a valid order, as a plain producer writes it."""
    headers = {
        "ce_specversion": b"1.0",
        "ce_id": event_id.encode(),
        "ce_source": b"/plain/producer",
        "ce_type": event_type.encode(),
        "ce_subject": b"customer",
        "content-type": b"application/json",
        "trace": b"\xff\x00 not text",
    }
    return {"headers": headers, "value": json.dumps({"number": number, "pad": "x" * pad}).encode(), "key": b"customer"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no-cloudevent": ({"key": b"\x00\xff", "value": b"\xfe not an event", "headers": {"h": b"\xff"}}, "EnvelopeError"),
    "no-attributes": ({"key": None, "value": b"{}", "headers": {"ce_specversion": b"1.0"}}, "EnvelopeError"),
    "tombstone": ({"key": b"customer", "value": None, "headers": {}}, "EnvelopeError"),
    "unknown-type": (order(1, event_id="b1", event_type="bad.Nobody.v1"), "UnknownPayloadTypeError"),
    "unfit-json": (order("many", event_id="b2"), "PayloadError"),
    "no-json": ({**order(1, event_id="b3"), "value": b'{"number": '}, "PayloadError"),
    "too-large": (order(1, event_id="b4", pad=LIMIT), "EnvelopeTooLargeError"),
    "handler-raises": (order(-1, event_id="b5"), "AttemptsExhaustedError"),
}


@pytest.fixture(params=["memory", "sqlite", "kafka"])
def urls(request: pytest.FixtureRequest, ns: str, tmp_path: Path) -> tuple[str, str]:
    return durable_urls(request.param, ns, tmp_path, request.getfixturevalue)


@pytest.fixture
async def bed(urls: tuple[str, str], ns: str) -> AsyncIterator[DurableBed]:
    async with durable_bed(urls, ns) as bed:
        yield bed


async def test_bad_records_are_dead_lettered_unchanged_between_neighbours_that_are_served(
    bed: DurableBed, caplog: pytest.LogCaptureFixture
):
    runtime = bed.runtime(max_event_bytes=LIMIT)
    await SERVICE.register(runtime)
    await runtime.start()
    records = list[dict[str, Any]]()
    for number, (bad, _) in enumerate(BAD.values()):
        records += [order(number, event_id=f"good-{number}"), bad]

    sent = await bed.produce("topic.orders", *((each["key"], each["value"], each["headers"]) for each in records))
    letters = await bed.records("dead.clerk", len(BAD))
    receipts = await bed.records("topic.receipts", len(BAD))
    await runtime.stop_when_idle()

    by_offset = {int(_fact(letter.headers, "offset")): letter for letter in letters}
    for index, (bad, reason) in enumerate(BAD.values()):
        letter = by_offset.pop(sent[2 * index + 1].offset)
        original = tuple((name, value) for name, value in letter.headers if not name.startswith("agentopic.dead."))
        assert (letter.key, letter.value, original) == (bad["key"], bad["value"], tuple(bad["headers"].items()))
        assert _fact(letter.headers, "reason") == reason
        assert _fact(letter.headers, "topic") == f"{bed.ns}.topic.orders"
        assert _fact(letter.headers, "message")
    assert not by_offset
    assert sorted(json.loads(each.value or b"")["number"] for each in receipts) == list(range(len(BAD)))
    told = [vars(line) for line in caplog.records if line.getMessage() == "dead letter"]
    places = sorted((line["kafka_topic"], line["partition"], line["offset"]) for line in told)
    assert places == [(f"{bed.ns}.topic.orders", 0, place.offset) for place in sent[1::2]]


@pytest.mark.parametrize("urls", ["memory", "sqlite"], indirect=True)
@pytest.mark.parametrize("name", BAD)
async def test_a_bad_first_record_does_not_stall_its_partition(bed: DurableBed, name: str):
    bad, reason = BAD[name]
    runtime = bed.runtime(max_event_bytes=LIMIT)
    await SERVICE.register(runtime)
    await runtime.start()

    good = order(7, event_id="good")
    for each in (bad, good):
        await bed.produce("topic.orders", (each["key"], each["value"], each["headers"]))
    (receipt,) = await bed.records("topic.receipts", 1)
    (letter,) = await bed.records("dead.clerk", 1)

    assert json.loads(receipt.value or b"") == {"number": 7}
    assert _fact(letter.headers, "reason") == reason


def _fact(headers: Any, name: str) -> str:
    return dict(headers)[f"agentopic.dead.{name}"].decode()
