"""A saga: a trip is booked in full or not at all, though its process is killed in the middle of undoing it.

python saga.py      # one process books, fails, begins to undo and is killed; another one undoes the rest
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agentopic import AgentService, DurableRuntime, Reject, payload, saga
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, event
from agentopic.errors import SagaUndoneError

CALLS = Path("calls.txt")


@payload("travel.Note.v1")
@dataclass
class Note:
    text: str


def call(what: str) -> int:
    print(what, flush=True)
    with CALLS.open("a") as calls:
        calls.write(f"{what}\n")
    return CALLS.read_text().count(what)


async def book(what: str) -> str:
    call(f"book {what}")
    if what == "hotel":
        raise Reject("no rooms")
    return what


async def cancel(what: str) -> None:
    if call(f"cancel {what}") == 1 and what == "car":
        os.kill(os.getpid(), signal.SIGKILL)


class Agency(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("books trips")

    @event
    async def on_trip(self, message: Note, ctx: MessageContext) -> None:
        try:
            async with saga("trip") as s:
                for what in ("flight", "car", "hotel"):
                    await s.do(f"book {what}", partial(book, what), undo=cancel, undo_unknown=partial(cancel, what))
        except SagaUndoneError as exc:
            await self.publish_message(Note(str(exc)), TopicId("answers", self.id.key))


trips = TypeSubscription("trips", "agency")
app = AgentService("agency", Agency, subscriptions=[trips], publishes={"answers": Note}, stateless=True)


async def work(*wishes: str) -> None:
    runtime = DurableRuntime()
    await app.register(runtime)
    await runtime.start()
    for wish in wishes:
        await runtime.publish_message(Note(wish), TopicId("trips", "ann"))
    await runtime.stop_when_idle()


def first_process() -> None:
    asyncio.run(work("Rome"))


if __name__ == "__main__":
    first = multiprocessing.get_context("spawn").Process(target=first_process)
    first.start()
    first.join()
    asyncio.run(work())
