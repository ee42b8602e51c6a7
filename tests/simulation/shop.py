"""What is simulated: tills that pay, and ask each other for prices; customers who publish and ask."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import BaseModel

from agentopic.adapters.journal.memory.store import LaneEntry
from agentopic.core import (
    AgentId,
    MessageContext,
    RoutedAgent,
    TopicId,
    TypeSubscription,
    message_handler,
    payload,
    step,
    try_get_known_serializers_for_type,
)
from agentopic.engine.delivery import identity as delivery_identity
from agentopic.engine.options import EngineOptions, RetryPolicy
from agentopic.engine.runtime import EngineRuntime, Hosting
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record, encode
from agentopic.errors import JournalUnavailableError, RequestError, RequestTimeoutError, TransportError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord, TopicPartition
from agentopic.testing.fault_points import FaultPoints
from agentopic.testing.history import Fact, History
from agentopic.testing.simulation import World
from agentopic.testing.virtual_loop import owner_of

NS = "sim"
PARTITIONS = 2
OPTIONS: dict[str, Any] = {
    "namespace": NS,
    "partitions": PARTITIONS,
    "lease_seconds": 1.5,
    "drain_seconds": 2.0,
    "retry": RetryPolicy(max_failures=3, initial_seconds=0.05),
    "request_resend_seconds": 2.0,
    "request_timeout_seconds": 60.0,
}


@payload("sim.Order.v1")
class Order(BaseModel):
    number: int


@payload("sim.Receipt.v1")
class Receipt(BaseModel):
    number: int
    turn: int = 0
    price: int = 0


@payload("sim.Question.v1")
class Question(BaseModel):
    number: int


@dataclass(frozen=True)
class Habits:
    """What the till does for an order, beyond paying; decided by its number, so that every attempt does the same."""

    asks: int = 3
    fails_first: int = 4
    checks: int = 3


class Till(RoutedAgent):
    """Pays once per order, asks another till for the price of some, fails at first for others."""

    def __init__(self, shop: Shop, points: FaultPoints | None = None) -> None:
        super().__init__("takes orders")
        self._shop, self._history, self._points = shop, shop.history, points
        self.turns = 0

    @message_handler
    async def on_order(self, message: Order, ctx: MessageContext) -> None:
        turn = {"process": owner_of.get(), "key": self.id.key}
        self._history.note("turn", "invoke", f"order-{message.number}", **turn)
        try:
            await self._handle(message.number, owner_of.get())
        finally:
            self._history.note("turn", "ok", f"order-{message.number}", **turn)

    async def _handle(self, number: int, process: str) -> None:

        async def pay() -> int:
            self._shop.opened(f"pay-{number}", process)
            await asyncio.sleep(random.random() * 0.2)
            if self._points is not None:
                await self._points.reach("after call")
            return number

        self._shop.about_to(f"pay-{number}", process)
        await step("pay", pay, given=number, repeatable=True)
        self._shop.closed(f"pay-{number}", process)
        if number % Habits.checks == 2:
            await asyncio.gather(*(self._check(f"check-{number}-{side}") for side in range(2)))
        price = 0
        if number % Habits.asks == 1:
            answer = await self.send_message(Question(number=number), AgentId("till", f"o{number % 2}"))
            price = answer.price
        self.turns += 1
        await self.publish_message(Receipt(number=number, turn=self.turns, price=price), TopicId("out", self.id.key))
        if number % Habits.fails_first == 3 and number not in self._shop.begun:
            self._shop.begun.add(number)
            raise ValueError("fails once")  # with a changed instance and an output that must not leave

    async def _check(self, name: str) -> None:
        process = owner_of.get()

        async def check() -> int:
            self._shop.opened(name, process)
            await asyncio.sleep(0)
            return 1

        self._shop.about_to(name, process)
        await step(name, check, repeatable=True)
        self._shop.closed(name, process)

    @message_handler
    async def on_question(self, message: Question, ctx: MessageContext) -> Receipt:
        self.turns += 1
        return Receipt(number=message.number, price=message.number * 2)

    async def save_state(self) -> dict[str, int]:
        return {"turns": self.turns}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.turns = state["turns"]


class Shop:
    """The tills on a simulated mesh, with everything that happens to them noted."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.history = History()
        self.begun: set[int] = set()
        self.running: dict[str, EngineRuntime] = {}
        self.tells_intentions = False
        """Whether a call is noted before its last check, too: where processes are stopped anywhere."""
        self.open_calls: defaultdict[str, set[str]] = defaultdict(set)
        """Paid calls that are open, by process."""
        self.premature: list[str] = []
        """Outputs that were in the log before their turn was finished."""
        world.sending = self._watch
        specs = [f"{NS}.topic.orders", f"{NS}.topic.out", f"{NS}.agent.till", f"{NS}.replies"]
        world.log.create([TopicSpec(name=each, partitions=PARTITIONS) for each in specs])

    async def serve(self, name: str, points: FaultPoints | None = None) -> None:
        """Be one process of the service; started again while the journal does not let it join."""
        while True:
            try:
                return await self._serve(name, points)
            except JournalUnavailableError:
                await asyncio.sleep(1.0)

    async def _serve(self, name: str, points: FaultPoints | None) -> None:
        world = self.world
        mesh = world.mesh() if points is None else world.mesh(journal=points.journal, transport=points.transport)
        runtime = EngineRuntime(mesh, EngineOptions(**OPTIONS))
        runtime.host_as("till", Hosting(state="stored", concurrency=3))
        runtime.add_message_serializer(try_get_known_serializers_for_type(Receipt))
        await Till.register(runtime, "till", partial(Till, self, points))
        await runtime.add_subscription(TypeSubscription("orders", "till"))
        self.running[name] = runtime
        await runtime.start()

    def about_to(self, call: str, process: str) -> None:
        """Note a call that may be made from now on."""
        if self.tells_intentions:
            self.history.note("call", "unknown", call, process=process)

    def opened(self, call: str, process: str) -> None:
        """Note a paid call as begun."""
        self.open_calls[process].add(call)
        self.history.note("call", "invoke", call, process=process)

    def closed(self, call: str, process: str) -> None:
        """Note a paid call as recorded."""
        self.open_calls[process].discard(call)
        self.history.note("call", "ok", call, process=process)

    # ── the outside ────────────────────────────────────────────────────────────────────────────────────────

    def publish(self, number: int, key: str, copies: Sequence[int]) -> None:
        """Append an order to these partitions of its topic: the same event, as often as they are."""
        name = f"order-{number}"
        self.history.note("publish", "invoke", name, key=key)
        message = encode(_order_event(number, key), key=key.encode())
        for partition in copies:
            record = OutgoingRecord(
                topic=f"{NS}.topic.orders",
                key=message.key,
                value=message.value,
                headers=message.headers,
                partition=partition,
            )
            self.world.log.append([record], 1 << 20)
        self.history.note("publish", "ok", name, key=key)

    async def ask(self, number: int) -> None:
        """Ask a till from outside, and note how that ends."""
        client = EngineRuntime(self.world.mesh(), EngineOptions(**OPTIONS))
        client.add_message_serializer(try_get_known_serializers_for_type(Receipt))
        await client.start()
        name = f"request-{number}"
        self.history.note("request", "invoke", name)
        try:
            answer = await client.send_message(Question(number=number), AgentId("till", f"o{number % 2}"))
        except TransportError:
            self.history.note("request", "fail", name)  # told at once that the log did not take it
        except (RequestError, RequestTimeoutError) as exc:
            self.history.note("request", "fail", name, error=repr(exc))
        else:
            assert answer.price == number * 2
            self.history.note("request", "ok", name)
        await client.stop()

    def _watch(self, records: Sequence[OutgoingRecord]) -> None:
        unfinished = {identity for lane in self.world.store.lanes.values() for identity in _identities(lane)}
        for record in records:
            if record.topic == f"{NS}.topic.out":
                event = decode_record(record.headers, record.value)
                receipt = Receipt.model_validate_json(event.data or b"")
                till = AgentId("till", event.subject or "")
                if delivery_identity(till, _order_event(receipt.number, till.key)) in unfinished:
                    self.premature.append(f"order-{receipt.number}")

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_done(self) -> bool:
        """Whether everything accepted has its output or dead letter, and nothing is left to do."""
        store = self.world.store
        if store.unfinished or store.lanes or store.process_rows:
            return False
        accepted = {each.subject for each in self.history.facts if each.operation == "publish"}
        return accepted <= self._settled()

    def _settled(self) -> set[str]:
        receipts = [Receipt.model_validate_json(each.data or b"") for each in self._events(f"{NS}.topic.out")]
        dead = {each.id for each in self._events(f"{NS}.dead.till")}
        return {f"order-{each.number}" for each in receipts} | dead

    def drain(self) -> Sequence[Fact]:
        """Note what lies in the topics, and return the whole history."""
        for event in self._events(f"{NS}.topic.out"):
            receipt = Receipt.model_validate_json(event.data or b"")
            subject, agent = f"order-{receipt.number}", event.source
            self.history.note("output", "ok", subject, key=agent, id=event.id, turn=receipt.turn, price=receipt.price)
        for event in self._events(f"{NS}.dead.till"):
            self.history.note("dead", "ok", event.id)
        return self.history.facts

    def _events(self, topic: str) -> Sequence[Envelope]:
        count = self.world.log.topics().get(topic, 0)
        records = [each for index in range(count) for each in self.world.log.partition(TopicPartition(topic, index))]
        return [decode_record(each.headers, each.value) for each in records]


def _order_event(number: int, key: str) -> Envelope:
    return Envelope(
        id=f"order-{number}",
        source="/customers",
        type="sim.Order.v1",
        subject=key,
        datacontenttype="application/json",
        data=Order(number=number).model_dump_json().encode(),
    )


def _identities(lane: LaneEntry) -> Sequence[bytes]:
    return [each.identity for each in lane.deliveries.values()]
