"""The world that is simulated: tills on a mesh, what is published to them, and everything that happens to them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from agentopic.adapters.journal.memory.store import LaneEntry
from agentopic.core import AgentId, TypeSubscription, try_get_known_serializers_for_type
from agentopic.engine.delivery import identity as delivery_identity
from agentopic.engine.options import EngineOptions, RetryPolicy
from agentopic.engine.runtime import EngineRuntime, Hosting
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record, encode
from agentopic.errors import JournalUnavailableError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord, TopicPartition
from agentopic.testing.fault_points import FaultPoints
from agentopic.testing.history import Fact, History
from agentopic.testing.simulation import World

from .desk import Desk
from .till import Order, Receipt, Till

NS = "sim"
PARTITIONS = 2
LEASE_SECONDS = 1.2
OPTIONS: dict[str, Any] = {
    "namespace": NS,
    "partitions": PARTITIONS,
    "lease_seconds": LEASE_SECONDS,
    "drain_seconds": 2.0,
    "retry": RetryPolicy(max_failures=3, initial_seconds=0.05),
    "request_resend_seconds": 0.5,
    "request_timeout_seconds": 60.0,
}
UNWOUND_SECONDS, KEPT_SECONDS = 0.1, 60.0


def usual_deeds(number: int) -> tuple[str, ...]:
    """Return what an order asks for where nobody chooses."""
    deeds = {"check": number % 3 == 2, "ask a till": number % 3 == 1, "fail": number % 4 == 3}
    return tuple(deed for deed, does in deeds.items() if does)


class Shop:
    """The tills on a simulated mesh, with everything that happens to them noted."""

    def __init__(self, world: World, *, suspend_seconds: float = UNWOUND_SECONDS) -> None:
        self.world = world
        self._options = EngineOptions(**OPTIONS, suspend_seconds=suspend_seconds)
        self.history = History()
        self.desk = Desk()
        self.running: dict[str, EngineRuntime] = {}
        self.tells_intentions = False
        """Whether a call is noted before its last check, too: where processes are stopped anywhere."""
        self.open_calls: defaultdict[str, set[str]] = defaultdict(set)
        """Paid calls that are open, by process."""
        self.orders: dict[int, Order] = {}
        self.words: dict[int, str] = {}
        """What a person has said about orders, first."""
        self.held: set[int] = set()
        """Orders that were published to a till while it was paused."""
        self.cancelled: set[int] = set()
        """Orders whose runs were cancelled."""
        self.wrong: list[str] = []
        """What happened that must not: outputs in the log before their commit, turns of paused agents."""
        self._failed: set[int] = set()
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
        runtime = self.runtime(points)
        runtime.host_as("till", Hosting(state="stored", concurrency=3))
        await Till.register(runtime, "till", partial(Till, self, points))
        await runtime.add_subscription(TypeSubscription("orders", "till"))
        self.running[name] = runtime
        await runtime.start()

    def runtime(self, points: FaultPoints | None = None) -> EngineRuntime:
        """Return a process's end of the mesh, not started."""
        world = self.world
        mesh = world.mesh() if points is None else world.mesh(journal=points.journal, transport=points.transport)
        runtime = EngineRuntime(mesh, self._options)
        runtime.add_message_serializer(try_get_known_serializers_for_type(Receipt))
        return runtime

    # ── what the tills tell ────────────────────────────────────────────────────────────────────────────────

    def first_time(self, number: int) -> bool:
        """Whether nobody has asked that about an order before."""
        is_first = number not in self._failed
        self._failed.add(number)
        return is_first

    def begins(self, number: int, process: str) -> None:
        """See a turn begin."""
        if number in self.held:
            self.wrong.append(f"order-{number} was begun by {process} although its till was paused")

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

    def publish(self, number: int, key: str, copies: Sequence[int], does: Sequence[str] | None = None) -> None:
        """Append an order to these partitions of its topic: the same event, as often as they are."""
        name = f"order-{number}"
        order = Order(number=number, does=usual_deeds(number) if does is None else tuple(does))
        self.orders[number] = order
        self.history.note("publish", "invoke", name, key=key)
        message = encode(_order_event(order, key), key=key.encode())
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

    def _watch(self, records: Sequence[OutgoingRecord]) -> None:
        unfinished = {identity for lane in self.world.store.lanes.values() for identity in _identities(lane)}
        for record in records:
            if record.topic == f"{NS}.topic.out":
                event = decode_record(record.headers, record.value)
                receipt = Receipt.model_validate_json(event.data or b"")
                till = AgentId("till", event.subject or "")
                if delivery_identity(till, _order_event(self.orders[receipt.number], till.key)) in unfinished:
                    self.wrong.append(f"order-{receipt.number} was answered before its commit")

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_done(self) -> bool:
        """Whether everything accepted has its output or dead letter, or was cancelled, and nothing is left to do."""
        store = self.world.store
        if store.unfinished or store.lanes or store.process_rows:
            return False
        facts = self.history.facts
        accepted = {each.subject for each in facts if each.operation == "publish" and each.phase == "ok"}
        return accepted <= self._settled() | {f"order-{number}" for number in self.cancelled}

    def _settled(self) -> set[str]:
        receipts = (Receipt.model_validate_json(each.data or b"") for each in self._events(f"{NS}.topic.out"))
        return {f"order-{each.number}" for each in receipts} | set(self._dead())

    def drain(self) -> Sequence[Fact]:
        """Note what lies in the topics, compare it with what was to come, and return the whole history."""
        for event in self._events(f"{NS}.topic.out"):
            receipt = Receipt.model_validate_json(event.data or b"")
            self.wrong.extend(self._faults_of(receipt))
            rest = receipt.model_dump(exclude={"number"})
            self.history.note("output", "ok", f"order-{receipt.number}", key=event.source, id=event.id, **rest)
        for subject in self._dead():
            self.history.note("dead", "ok", subject)
            if subject not in {f"order-{number}" for number in self.cancelled}:
                self.wrong.append(f"{subject} was given up without a reason")
        self.wrong.extend(self._half_done())
        return self.history.facts

    def _faults_of(self, receipt: Receipt) -> Iterable[str]:
        """Say what is wrong with a receipt, beyond what the verdict looks at."""
        number, does = receipt.number, self.orders[receipt.number].does
        asked = {"ask a till": (2 * number,), "ask a slow till": (2 * number,), "ask the clerk": (3 * number, -1)}
        prices = next((prices for deed, prices in asked.items() if deed in does), (0,))
        if receipt.price not in prices:
            yield f"order-{number} was priced {receipt.price}, not {prices}"
        if receipt.word != (self.words[number] if "ask a person" in does else ""):
            yield f"order-{number} got the word {receipt.word!r}, not {self.words.get(number)!r}"
        trips = {"done"} if "travel" in does else {"undone"} if "travel in vain" in does else {""}
        if number in self.cancelled and "travel" in does:
            trips.add("undone")
        if receipt.trip not in trips:
            yield f"order-{number} has a trip {receipt.trip!r}, not one of {trips}"

    def _half_done(self) -> Iterable[str]:
        """Say which sagas are neither done in full nor undone in full."""
        for number, order in self.orders.items():
            stands = {f"flight-{number}", f"hotel-{number}"} & self.desk.standing
            may = ({0, 2} if number in self.cancelled else {2}) if "travel" in order.does else {0}
            if len(stands) not in may:
                yield f"order-{number} {order.does} stands at {sorted(stands)}"

    def _dead(self) -> Iterable[str]:
        orders = (Order.model_validate_json(each.data or b"") for each in self._events(f"{NS}.dead.till"))
        return (f"order-{each.number}" for each in orders)

    def _events(self, topic: str) -> Sequence[Envelope]:
        count = self.world.log.topics().get(topic, 0)
        records = [each for index in range(count) for each in self.world.log.partition(TopicPartition(topic, index))]
        return [decode_record(each.headers, each.value) for each in records]


def _order_event(order: Order, key: str) -> Envelope:
    return Envelope(
        id=f"order-{order.number}",
        source="/customers",
        type="sim.Order.v1",
        subject=key,
        datacontenttype="application/json",
        data=order.model_dump_json().encode(),
    )


def _identities(lane: LaneEntry) -> Sequence[bytes]:
    return [each.identity for each in lane.deliveries.values()]
