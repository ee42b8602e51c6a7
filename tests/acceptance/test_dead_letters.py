"""A poison record becomes a dead letter, byte for byte; once the service is repaired, its redrive is done once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic import (
    AgentService,
    MessageContext,
    RetryPolicy,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    message_handler,
    payload,
    step,
)

from .durable_bed import DurableBed, durable_bed, durable_urls


@payload("mail.Order.v1")
class Order(BaseModel):
    number: int


@payload("mail.Receipt.v1")
class Receipt(BaseModel):
    number: int


@dataclass
class Shop:
    """What the clerk's handler meets."""

    repaired: bool = False
    charged: list[int] = field(default_factory=list[int])


class Clerk(RoutedAgent):
    def __init__(self, shop: Shop) -> None:
        super().__init__("charges each order and writes a receipt")
        self._shop = shop

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        async def charge() -> str:
            self._shop.charged.append(message.number)
            return "charged"

        await step("charge", charge, given=message.number)
        if message.number >= 13 and not self._shop.repaired:
            raise ValueError("unlucky")
        await self.publish_message(Receipt(number=message.number), TopicId("receipts", self.id.key))


def service(shop: Shop) -> AgentService:
    return AgentService(
        "clerk",
        lambda: Clerk(shop),
        subscriptions=[TypeSubscription("orders", "clerk")],
        publishes={"receipts": Receipt},
        payloads=[Order],
        stateless=True,
    )


def order(number: int) -> tuple[bytes, bytes, dict[str, bytes]]:
    """Return the record of an order, as a plain producer writes it."""
    headers = {
        "ce_specversion": b"1.0",
        "ce_id": f"order-{number}".encode(),
        "ce_source": b"/plain/producer",
        "ce_type": b"mail.Order.v1",
        "ce_subject": b"customer",
        "content-type": b"application/json",
        "trace": b"\xff\x00 not text",
    }
    return b"a key", b'{ "number": %d }\n' % number, headers


class Operator:
    """Somebody with the command line, in a process of its own."""

    def __init__(self, transport: str, ns: str, folder: Path) -> None:
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPIC_", "AUTOGEN_"))}
        self._environment = {**kept, "AGENTOPIC_TRANSPORT": transport, "AGENTOPIC_NAMESPACE": ns}

    async def dlq(self, *arguments: str) -> bytes:
        """Run `agentopic dlq` and return its stdout."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agentopic", "dlq", *arguments,
            cwd=self._folder, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start `agentopic dlq`, to be killed."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agentopic",
            "dlq",
            *arguments,
            cwd=self._folder,
            env=self._environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Run `agentopic dlq` and return the rows it prints."""
        return [json.loads(line) for line in (await self.dlq(*arguments, "-o", "jsonl")).splitlines()]


@pytest.fixture(params=["sqlite", "kafka"])
def urls(request: pytest.FixtureRequest, ns: str, tmp_path: Path) -> tuple[str, str]:
    return durable_urls(request.param, ns, tmp_path, request.getfixturevalue)


@pytest.fixture
async def bed(urls: tuple[str, str], ns: str) -> AsyncIterator[DurableBed]:
    async with durable_bed(urls, ns) as bed:
        yield bed


@pytest.fixture
def operator(urls: tuple[str, str], ns: str, tmp_path: Path) -> Operator:
    return Operator(urls[0], ns, tmp_path)


async def test_a_poison_record_is_kept_byte_for_byte_and_redriven_once_after_the_repair(
    bed: DurableBed, operator: Operator
):
    shop = Shop()
    runtime = bed.runtime()
    await service(shop).register(runtime)
    await runtime.start()
    await bed.produce("topic.orders", order(11), order(13), order(12))
    (letter,) = await bed.records("dead.clerk", 1)
    await bed.records("topic.receipts", 2)
    name = f"{letter.partition}:{letter.offset}"

    listed = await operator.rows("list", "clerk")
    value = await operator.dlq("show", "clerk", name, "--bytes")
    shop.repaired = True
    redriven = await operator.rows("redrive", "clerk", "--yes", "--because", "repaired")
    repeated = await operator.rows("redrive", "clerk", name, "--yes")
    receipts = await bed.records("topic.receipts", 3)
    await runtime.stop_when_idle()

    key, body, headers = order(13)
    kept = {name: value for name, value in letter.headers if not name.startswith("agentopic.dead.")}
    assert (letter.key, letter.value, kept) == (key, body, headers)
    assert value == body
    assert [(row["letter"], row["agent"], row["reason"]) for row in listed] == [
        (name, "clerk/customer", "AttemptsExhaustedError")
    ]
    assert [row["status"] for row in redriven + repeated] == ["redriven", "already redriven"]
    assert [json.loads(each.value or b"")["number"] for each in receipts] == [11, 12, 13]
    assert sorted(shop.charged) == [11, 12, 13]
    assert await operator.rows("list", "clerk") == []


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
async def test_a_redrive_killed_half_way_and_repeated_does_each_letter_once(bed: DurableBed, operator: Operator):
    shop, numbers = Shop(), list(range(13, 43))
    runtime = bed.runtime(retry=RetryPolicy(max_failures=1))
    await service(shop).register(runtime)
    await runtime.start()
    await bed.produce("topic.orders", *(order(number) for number in numbers))
    await bed.records("dead.clerk", len(numbers))
    shop.repaired = True

    redriving = await operator.start("redrive", "clerk", "--yes", "--rate", "20")
    await bed.records("agent.clerk", 4)
    redriving.kill()
    killed = await redriving.wait()
    unsettled = await operator.rows("list", "clerk")
    await operator.rows("redrive", "clerk", "--yes")
    receipts = await bed.records("topic.receipts", len(numbers))
    await runtime.stop_when_idle()

    assert killed == -signal.SIGKILL
    assert 0 < len(unsettled) < len(numbers)
    assert sorted(json.loads(each.value or b"")["number"] for each in receipts) == numbers
    assert sorted(shop.charged) == numbers
    assert await operator.rows("list", "clerk") == []


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
async def test_a_fresh_redrive_makes_recorded_calls_again(bed: DurableBed, operator: Operator):
    shop = Shop()
    runtime = bed.runtime()
    await service(shop).register(runtime)
    await runtime.start()
    await bed.produce("topic.orders", order(13))
    await bed.records("dead.clerk", 1)
    shop.repaired = True

    await operator.rows("redrive", "clerk", "--yes", "--fresh")
    await bed.records("topic.receipts", 1)
    await runtime.stop_when_idle()

    assert shop.charged == [13, 13]


@pytest.mark.parametrize("urls", ["sqlite"], indirect=True)
async def test_a_redriven_letter_that_dies_again_tells_of_both_deaths(bed: DurableBed, operator: Operator):
    shop = Shop()
    runtime = bed.runtime()
    await service(shop).register(runtime)
    await runtime.start()
    await bed.produce("topic.orders", order(13))
    await bed.records("dead.clerk", 1)

    await operator.rows("redrive", "clerk", "--yes")
    await bed.records("dead.clerk", 3)
    rows = await operator.rows("list", "clerk", "--all")
    await runtime.stop_when_idle()

    first, second = rows
    assert [(row["status"], row["redrive"]) for row in rows] == [("redriven", 0), ("open", 1)]
    assert second["first"] == first["time"]
    assert shop.charged == [13]
