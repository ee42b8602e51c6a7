"""A distributed lock: whoever runs the turns of agent lock/<name> holds <name>; its token guards what is outside.

python lock.py      # the holder stands still past its lease, the next one prints; what the first one sends is refused
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from agentopic import AgentService, DurableRuntime, fencing_token, payload, serve, step
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event

HIGHEST, PAPER, STOOD_STILL = Path("highest-token"), Path("paper"), Path("stood-still")


@payload("office.Page.v1")
@dataclass
class Page:
    text: str


class Lock(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("guards a printer")

    @event
    async def on_page(self, message: Page, ctx: MessageContext) -> None:
        async def print_page() -> None:
            token = fencing_token()
            stand_still_once(seconds=6)
            printer(message.text, token)

        await step("print", print_page, repeatable=True)


def stand_still_once(seconds: float) -> None:
    """As a machine that swaps: nothing else of this process runs meanwhile, and afterwards it goes on."""
    if not STOOD_STILL.exists():
        STOOD_STILL.touch()
        time.sleep(seconds)


def printer(text: str, token: int) -> None:
    """The outside keeps the highest token it has seen and refuses lower ones."""
    highest = max(token, int(HIGHEST.read_text()))
    HIGHEST.write_text(str(highest))
    with PAPER.open("a") as paper:
        paper.write(f"{text}: {'printed' if token == highest else 'refused'}\n")


app = AgentService("lock", Lock, subscriptions=[TypeSubscription("pages", "lock")], stateless=True)


def work(ready: Event) -> None:
    asyncio.run(serve(DurableRuntime(lease_seconds=1.5), [app], ready=ready.set))


async def publish() -> None:
    async with DurableRuntime() as client:
        await client.publish_message(Page("page 1"), TopicId("pages", "printer"))


if __name__ == "__main__":
    HIGHEST.write_text("0")
    PAPER.write_text("")
    context = multiprocessing.get_context("spawn")
    starts = [context.Event(), context.Event()]
    workers = [context.Process(target=work, args=(ready,)) for ready in starts]
    for worker, ready in zip(workers, starts, strict=True):
        worker.start()
        ready.wait()
    asyncio.run(publish())
    while PAPER.read_text().count("\n") < len(workers):
        time.sleep(0.05)
    print(PAPER.read_text(), end="")
    for worker in workers:
        worker.kill()
