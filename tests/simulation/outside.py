"""The outside of the tills: who asks them, answers them, stops them, and lives in a script beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agentopic.core import AgentId, ClosureAgent, ClosureContext, MessageContext, TopicId
from agentopic.engine.control_client import OpenQuestion
from agentopic.engine.runtime import EngineRuntime
from agentopic.errors import JournalUnavailableError, RequestError, RequestTimeoutError, TransportError

from .shop import Shop
from .till import Order, Question, Receipt

T = TypeVar("T")

AGAIN_SECONDS = 0.2
PAUSE_SECONDS = 0.5


async def ask_a_till(shop: Shop, number: int) -> None:
    """Ask a till from outside, and note how that ends."""
    client = shop.runtime()
    await client.start()
    name = f"request-{number}"
    shop.history.note("request", "invoke", name)
    try:
        answer = await client.send_message(Question(number=number), AgentId("till", f"o{number % 2}"))
    except TransportError:
        shop.history.note("request", "fail", name)  # told at once that the log did not take it
    except (RequestError, RequestTimeoutError) as exc:
        shop.history.note("request", "fail", name, error=repr(exc))
    else:
        assert answer.price == number * 2
        shop.history.note("request", "ok", name)
    await client.stop()


async def answer_questions(shop: Shop) -> None:
    """Be the person who is asked: answer everything, now and then twice."""
    client = shop.runtime()
    await client.start()
    answered: set[str] = set()
    while True:
        for question in await _insist(lambda: client.control.questions(["till"])):
            if question.id not in answered:
                answered.add(question.id)
                await asyncio.sleep(shop.world.choice.random() * 0.3)
                await _answer(shop, client, question)
        await asyncio.sleep(AGAIN_SECONDS)


async def _answer(shop: Shop, client: EngineRuntime, question: OpenQuestion) -> None:
    number = question.note["details"]
    word = shop.words.setdefault(number, f"yes, {number}")
    await _insist(lambda: client.control.answer(question.id, question.agent, word))
    if shop.world.choice.random() < 0.3:
        await _insist(lambda: client.control.answer(question.id, question.agent, "no, after all"))


async def pause_a_till(shop: Shop, key: str, publish: Callable[[], int]) -> None:
    """Stop a till, publish to it meanwhile, and let it go on."""
    client, till = shop.runtime(), AgentId("till", key)
    await client.start()
    await _insist(lambda: client.control.pause(till))
    await shop.world.until(lambda: _is_paused(shop, key))
    number = publish()
    shop.held.add(number)
    await asyncio.sleep(PAUSE_SECONDS)
    shop.held.discard(number)
    await _insist(lambda: client.control.resume(till))
    await client.stop()


def _is_paused(shop: Shop, key: str) -> bool:
    return any(lane.paused for lane in shop.world.store.lanes.values() if lane.key == key)


async def cancel_an_order(shop: Shop, number: int) -> None:
    """End all that an order has caused."""
    client = shop.runtime()
    await client.start()
    shop.cancelled.add(number)
    shop.history.note("cancel", "ok", f"order-{number}")
    await _insist(lambda: client.control.cancel_run(f"order-{number}"))
    await client.stop()


async def be_a_clerk(shop: Shop, numbers: range) -> None:
    """Be a script: send orders in the name of an agent that lives in this process, and answer what tills ask it."""
    runtime = shop.runtime()

    async def clerk(agent: ClosureContext, message: Question, ctx: MessageContext) -> Receipt:
        await asyncio.sleep(message.takes)
        return Receipt(number=message.number, price=3 * message.number)

    await ClosureAgent.register_closure(runtime, "clerk", clerk)
    await runtime.start()
    for number in numbers:
        order = Order(number=number, does=("ask the clerk",))
        shop.orders[number] = order
        shop.history.note("publish", "invoke", f"order-{number}", key="c")
        try:
            await runtime.publish_message(order, TopicId("orders", "c"), sender=AgentId("clerk", "me"))
        except TransportError:
            shop.history.note("publish", "unknown", f"order-{number}", key="c")
        else:
            shop.history.note("publish", "ok", f"order-{number}", key="c")


async def _insist(call: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await call()
        except (TransportError, JournalUnavailableError):
            await asyncio.sleep(AGAIN_SECONDS)
