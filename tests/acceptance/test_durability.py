"""What is accepted outlives its process: state, unfinished work and paid calls go on in the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic import (
    AgentId,
    DurableRuntime,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    message_handler,
    payload,
)
from agentopic.core import step
from agentopic.errors import RequestError

from .durable_bed import DurableBed, durable_bed, durable_urls


@payload("durable.Deposit.v1")
class Deposit(BaseModel):
    amount: int


@payload("durable.Balance.v1")
class Balance(BaseModel):
    amount: int


class Account(RoutedAgent):
    """Adds up deposits; each is booked outside, once."""

    def __init__(self, booked: list[int], *, broken: bool = False) -> None:
        super().__init__("keeps a balance")
        self.amount = 0
        self.booked = booked
        self.broken = broken

    @message_handler
    async def on_deposit(self, message: Deposit, ctx: MessageContext) -> Balance:
        async def book() -> int:
            self.booked.append(message.amount)
            return message.amount

        self.amount += await step("book", book, given=message.amount)
        if self.broken:
            raise ConnectionError("cannot go on here")
        return Balance(amount=self.amount)

    async def save_state(self) -> dict[str, int]:
        return {"amount": self.amount}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.amount = state["amount"]


@pytest.fixture(params=["memory", "sqlite", "kafka"])
def urls(request: pytest.FixtureRequest, ns: str, tmp_path: Path) -> tuple[str, str]:
    return durable_urls(request.param, ns, tmp_path, request.getfixturevalue)


@pytest.fixture
async def bed(urls: tuple[str, str], ns: str) -> AsyncIterator[DurableBed]:
    async with durable_bed(urls, ns) as bed:
        yield bed


async def open_account(runtime: DurableRuntime, booked: list[int], *, broken: bool = False) -> None:
    """Host the account type on a runtime and start it."""
    await Account.register(runtime, "account", lambda: Account(booked, broken=broken))
    await runtime.add_subscription(TypeSubscription("deposits", "account"))
    await runtime.start()


async def test_state_outlives_the_process(bed: DurableBed):
    booked = list[int]()
    account = AgentId("account", "ada")
    first, second = bed.runtime(), bed.runtime()
    await open_account(first, booked)
    for amount in (10, 20):
        await first.send_message(Deposit(amount=amount), account)
    await first.stop()

    await open_account(second, booked)
    balance = await second.send_message(Deposit(amount=5), account)

    assert balance == Balance(amount=35)
    assert booked == [10, 20, 5]


async def test_what_is_published_while_nobody_listens_is_handled_by_whoever_comes(bed: DurableBed):
    booked = list[int]()
    first, second = bed.runtime(), bed.runtime()
    await open_account(first, booked)
    await first.stop()
    publisher = bed.runtime()
    await publisher.start()
    for number in range(20):
        await publisher.publish_message(Deposit(amount=number), TopicId("deposits", f"owner-{number % 4}"))

    await open_account(second, booked)
    await second.stop_when_idle()

    assert Counter(booked) == Counter(range(20))


async def test_a_recorded_call_is_not_made_again_by_later_attempts(bed: DurableBed):
    booked = list[int]()
    runtime = bed.runtime()
    await open_account(runtime, booked, broken=True)

    with pytest.raises(RequestError, match="cannot go on here"):
        await runtime.send_message(Deposit(amount=7), AgentId("account", "ada"))

    assert booked == [7]
