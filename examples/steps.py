"""An effect of your own, made once: a worker is killed while it ships; who takes over ships again and charges no more.

python steps.py
agentopic tail shipped --from-beginning
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from agentopic import AgentService, DurableRuntime, payload, serve, step
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event

CALLS = Path("calls.txt")  # the outside world: what was really done


@payload("shop.Order.v1")
@dataclass
class Order:
    number: int


def note(what: str) -> None:
    CALLS.write_text(CALLS.read_text() + what + "\n")


async def call(what: str, seconds: float = 0.0) -> str:
    note(what)
    await asyncio.sleep(seconds)
    return f"{what}: done"


class Shop(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("charges, then ships")

    @event
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        # Not repeatable: had the worker died in here, nobody would know, and the order would be a dead letter.
        await step("charge", lambda: call(f"charge {message.number}"), given=message.number)
        await step("ship", lambda: call(f"ship {message.number}", 1.0), given=message.number, repeatable=True)
        await self.publish_message(message, TopicId("shipped", self.id.key))


orders = TypeSubscription("orders", "shop")
app = AgentService("shop", Shop, subscriptions=[orders], publishes={"shipped": Order}, stateless=True)


def work(ready: Event) -> None:
    asyncio.run(serve(DurableRuntime(), [app], ready=ready.set))


async def publish(order: Order) -> None:
    async with DurableRuntime() as client:
        await client.publish_message(order, TopicId("orders", "ann"))


async def take_over() -> None:
    runtime = DurableRuntime()
    await app.register(runtime)
    await runtime.start()
    await runtime.stop_when_idle()


if __name__ == "__main__":
    CALLS.write_text("")
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    worker = context.Process(target=work, args=(ready,))
    worker.start()
    ready.wait()
    asyncio.run(publish(Order(7)))
    while "ship" not in CALLS.read_text():
        time.sleep(0.05)
    worker.kill()
    worker.join()
    asyncio.run(take_over())
    print(CALLS.read_text(), end="")
