"""The mesh in memory: services run, are published to and asked, and time passes when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic import AgentService, Reject
from agentopic.core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    event,
    message_handler,
    payload,
    rpc,
)
from agentopic.errors import MissingTopicError, RuntimeStateError
from agentopic.testing import FakeClock, MemoryMesh, expect


@payload("kit.Order.v1")
class Order(BaseModel):
    number: int


@payload("kit.Invoice.v1")
class Invoice(BaseModel):
    order: int
    count: int


class Till(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("writes invoices")
        self.count = 0

    @event
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        if message.number < 0:
            raise Reject("no such order")
        self.count += 1
        await self.publish_message(Invoice(order=message.number, count=self.count), TopicId("invoices", self.id.key))

    @rpc
    async def on_question(self, message: Order, ctx: MessageContext) -> Invoice:
        return Invoice(order=message.number, count=self.count)

    async def save_state(self) -> Mapping[str, Any]:
        return {"count": self.count}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.count = state["count"]


class Reminder(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("waits for a week")

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        await ctx.sleep(7 * 86_400)
        answer = await ctx.ask("Still wanted?")
        await self.publish_message(Invoice(order=message.number, count=int(answer)), TopicId("invoices", self.id.key))


TILL = AgentService("till", Till, subscriptions=[TypeSubscription("orders", "till")], publishes={"invoices": Invoice})
REMINDER = AgentService("reminder", Reminder, subscriptions=[TypeSubscription("orders", "reminder")], stateless=True)


async def test_what_is_published_is_handled_before_the_mesh_is_idle() -> None:
    async with MemoryMesh() as mesh:
        await mesh.run(TILL)

        for number in (1, 2):
            await mesh.publish(Order(number=number), TopicId("orders", "ann"))
        await mesh.idle()

        invoices = expect(mesh.events("invoices")).of_type(Invoice).from_agent(AgentId("till", "ann")).exactly(2)
        assert [each.count for each in invoices.payloads(Invoice)] == [1, 2]


async def test_an_agent_is_asked_and_keeps_its_state_in_the_next_process() -> None:
    async with MemoryMesh() as mesh:
        first = await mesh.run(TILL)
        await mesh.publish(Order(number=1), TopicId("orders", "ann"))
        await mesh.idle()
        await first.stop()

        await mesh.run(TILL)
        answer = await mesh.send(Order(number=7), AgentId("till", "ann"))

        assert answer == Invoice(order=7, count=1)


async def test_what_is_given_up_is_a_dead_letter() -> None:
    async with MemoryMesh() as mesh:
        await mesh.run(TILL)

        await mesh.publish(Order(number=-1), TopicId("orders", "ann"))
        await mesh.idle()

        (letter,) = mesh.dead_letters("till")
        assert (letter.reason, letter.message) == ("Reject", "no such order")


async def test_a_week_passes_when_the_clock_is_moved() -> None:
    async with MemoryMesh(clock=FakeClock()) as mesh:
        mesh.create("invoices")
        await mesh.run(REMINDER)
        await mesh.publish(Order(number=1), TopicId("orders", "ann"))
        await mesh.pass_time(6 * 86_400)
        with pytest.raises(TimeoutError):
            await mesh.idle(seconds=0.5)

        await mesh.pass_time(86_400)
        question = await mesh.question("reminder")
        await mesh.answer(question, 3)
        await mesh.idle()

        assert question.note["text"] == "Still wanted?"
        expect(mesh.events("invoices")).carrying(order=1, count=3).exactly(1)


async def test_time_is_not_moved_where_it_passes_by_itself() -> None:
    async with MemoryMesh() as mesh:
        with pytest.raises(RuntimeStateError, match="FakeClock"):
            await mesh.pass_time(1)


async def test_what_nobody_listens_to_cannot_be_published() -> None:
    async with MemoryMesh() as mesh:
        with pytest.raises(MissingTopicError):
            await mesh.publish(Order(number=1), TopicId("orders", "ann"))


async def test_nothing_can_be_sent_to_an_empty_mesh() -> None:
    async with MemoryMesh() as mesh:
        with pytest.raises(RuntimeStateError, match="run"):
            await mesh.send(Order(number=1), AgentId("till", "ann"))


async def test_two_meshes_do_not_hear_each_other() -> None:
    async with MemoryMesh() as one, MemoryMesh() as other:
        await asyncio.gather(one.run(TILL), other.run(TILL))

        await one.publish(Order(number=1), TopicId("orders", "ann"))
        await asyncio.gather(one.idle(), other.idle())

        expect(one.events("invoices")).exactly(1)
        expect(other.events("invoices")).none()
