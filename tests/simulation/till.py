"""The service that is simulated: a till that pays, waits, asks, books, and fails as its orders say."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from agentopic.core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    TopicId,
    ask,
    fencing_token,
    message_handler,
    payload,
    saga,
    sleep,
    step,
)
from agentopic.errors import OwnerGoneError, SagaUndoneError
from agentopic.testing.fault_points import FaultPoints
from agentopic.testing.history import History
from agentopic.testing.virtual_loop import owner_of

from .desk import Desk

T = TypeVar("T")

GONE = -1
"""The price that somebody would have named whose process is gone."""


@payload("sim.Order.v1")
class Order(BaseModel):
    number: int
    does: tuple[str, ...] = ()
    """What the till does for it, beyond paying: the names of `_DEEDS`, and `fail`, which it does at first."""


@payload("sim.Receipt.v1")
class Receipt(BaseModel):
    number: int
    turn: int = 0
    price: int = 0
    word: str = ""
    trip: str = ""


@payload("sim.Question.v1")
class Question(BaseModel):
    number: int
    takes: float = 0.0
    """Seconds for which whoever is asked thinks about it."""


class Scene(Protocol):
    """What a till sees of the world it is in."""

    history: History
    desk: Desk

    def first_time(self, number: int) -> bool:
        """Whether nobody has asked that about an order before."""
        ...

    def begins(self, number: int, process: str) -> None:
        """See a turn begin."""
        ...

    def about_to(self, call: str, process: str) -> None:
        """Note a call that may be made from now on."""
        ...

    def opened(self, call: str, process: str) -> None:
        """Note a paid call as begun."""
        ...

    def closed(self, call: str, process: str) -> None:
        """Note a paid call as recorded."""
        ...


class Till(RoutedAgent):
    """Pays once per order, and numbers its turns."""

    def __init__(self, scene: Scene, points: FaultPoints | None = None) -> None:
        super().__init__("takes orders")
        self._scene, self._points = scene, points
        self.turns = 0

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        name, turn = f"order-{message.number}", {"process": owner_of.get(), "key": self.id.key}
        self._scene.history.note("turn", "invoke", name, **turn)
        self._scene.begins(message.number, owner_of.get())
        try:
            await self._handle(message, ctx)
        finally:
            self._scene.history.note("turn", "ok", name, **turn)

    async def _handle(self, order: Order, ctx: MessageContext) -> None:
        async def pay() -> int:
            self._scene.opened(f"pay-{order.number}", owner_of.get())
            await asyncio.sleep(random.random() * 0.2)
            if self._points is not None:
                await self._points.reach("after call")
            return order.number

        await self._noted(f"pay-{order.number}", lambda: step("pay", pay, given=order.number, repeatable=True))
        receipt = Receipt(number=order.number)
        for deed in order.does:
            if deed in _DEEDS:
                await _DEEDS[deed](self, receipt, ctx)
        self.turns += 1
        receipt.turn = self.turns
        await self.publish_message(receipt, TopicId("out", self.id.key))
        if "fail" in order.does and self._scene.first_time(order.number):
            raise ValueError("fails once")  # with a changed instance and an output that must not leave

    async def _noted(self, call: str, make: Callable[[], Awaitable[T]]) -> T:
        process = owner_of.get()
        self._scene.about_to(call, process)
        result = await make()
        self._scene.closed(call, process)
        return result

    # ── deeds ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _check(self, receipt: Receipt, ctx: MessageContext) -> None:
        """Make two calls side by side."""
        await asyncio.gather(*(self._check_one(f"check-{receipt.number}-{side}") for side in range(2)))

    async def _check_one(self, name: str) -> None:
        async def check() -> int:
            self._scene.opened(name, owner_of.get())
            await asyncio.sleep(0)
            return 1

        await self._noted(name, lambda: step(name, check, repeatable=True))

    async def _ask_a_till(self, receipt: Receipt, ctx: MessageContext) -> None:
        """Ask another till, which knows at once."""
        await self._inquire(receipt, AgentId("till", f"o{receipt.number % 2}"))

    async def _ask_a_slow_till(self, receipt: Receipt, ctx: MessageContext) -> None:
        """Ask another till, whose turn waits before it answers."""
        await self._inquire(receipt, AgentId("till", f"o{receipt.number % 2}"), takes=0.4)

    async def _ask_the_clerk(self, receipt: Receipt, ctx: MessageContext) -> None:
        """Ask the process-lived agent that has sent the order."""
        assert ctx.sender is not None
        try:
            await self._inquire(receipt, ctx.sender, takes=0.3)
        except OwnerGoneError:
            receipt.price = GONE

    async def _inquire(self, receipt: Receipt, whom: AgentId, takes: float = 0.0) -> None:
        answer = await self.send_message(Question(number=receipt.number, takes=takes), whom)
        receipt.price = answer.price

    async def _wait(self, receipt: Receipt, ctx: MessageContext) -> None:
        """Wait for longer than a turn stays in memory."""
        await sleep(0.1 + receipt.number % 3 * 0.2)

    async def _ask_a_person(self, receipt: Receipt, ctx: MessageContext) -> None:
        """Ask a person."""
        receipt.word = await ask("may it be sold?", details=receipt.number)

    async def _travel(self, receipt: Receipt, ctx: MessageContext, *, fails: bool = False) -> None:
        """Book two things, or none of them."""
        number, process, token = receipt.number, owner_of.get(), fencing_token()

        async def book(name: str) -> str:
            self._scene.opened(name, process)
            await asyncio.sleep(random.random() * 0.1)
            self._scene.desk.book(name, self.id.key, token)
            return name

        async def release(name: str) -> None:
            await asyncio.sleep(random.random() * 0.1)
            self._scene.desk.release(name, self.id.key, token)

        try:
            async with saga("trip") as trip:
                for name in (f"flight-{number}", f"hotel-{number}"):
                    await self._noted(
                        name,
                        lambda name=name: trip.do(
                            name,
                            lambda: book(name),
                            undo=release,
                            undo_unknown=lambda: release(name),
                            repeatable=True,
                        ),
                    )
                if fails:
                    raise ValueError("the concert is sold out")
            receipt.trip = "done"
        except SagaUndoneError:
            receipt.trip = "undone"

    async def _travel_in_vain(self, receipt: Receipt, ctx: MessageContext) -> None:
        """Book two things, and give both back."""
        await self._travel(receipt, ctx, fails=True)

    # ── what others ask ────────────────────────────────────────────────────────────────────────────────────

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> Receipt:
        if message.takes:
            await sleep(message.takes)
        self.turns += 1
        return Receipt(number=message.number, price=message.number * 2)

    async def save_state(self) -> dict[str, int]:
        return {"turns": self.turns}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.turns = state["turns"]


_DEEDS: Mapping[str, Callable[[Till, Receipt, MessageContext], Awaitable[None]]] = {
    "check": Till._check,  # pyright: ignore[reportPrivateUsage]
    "ask a till": Till._ask_a_till,  # pyright: ignore[reportPrivateUsage]
    "ask a slow till": Till._ask_a_slow_till,  # pyright: ignore[reportPrivateUsage]
    "ask the clerk": Till._ask_the_clerk,  # pyright: ignore[reportPrivateUsage]
    "wait": Till._wait,  # pyright: ignore[reportPrivateUsage]
    "ask a person": Till._ask_a_person,  # pyright: ignore[reportPrivateUsage]
    "travel": Till._travel,  # pyright: ignore[reportPrivateUsage]
    "travel in vain": Till._travel_in_vain,  # pyright: ignore[reportPrivateUsage]
}
