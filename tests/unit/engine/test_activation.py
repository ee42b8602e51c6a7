"""Which instance a turn gets, and which ones leave memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic.core import AgentId, BaseAgent, EventSourcedAgent, MessageContext, fold, payload
from agentopic.engine.activation import Activated, Activations
from agentopic.engine.options import EngineOptions
from agentopic.engine.put_away import PutAway
from agentopic.errors import JournalError, StateVersionError
from agentopic.ports.journal import AgentState, StateChange

KEY = AgentId("clerk", "k")
LANE = b"l" * 16


class StillClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self.seconds


class Clerk(BaseAgent):
    closed: list[str]

    def __init__(self, agent_id: AgentId, closed: list[str]) -> None:
        super().__init__("counts")
        self._id = agent_id
        self.closed = closed
        self.count = 0

    async def on_message_impl(self, message: Any, ctx: MessageContext) -> Any: ...

    async def save_state(self) -> Mapping[str, Any]:
        return {"count": self.count}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.count = state["count"]

    async def close(self) -> None:
        self.closed.append(self.id.key)


class RecentClerk(Clerk):
    """The same agent two releases later."""

    state_version = 3

    async def save_state(self) -> Mapping[str, Any]:
        return {"sum": self.count, "unit": "pieces"}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        self.count = state["sum"]
        assert state["unit"] == "pieces"

    @classmethod
    def upcast_state(cls, version: int, state: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"sum": state["count"]} if version == 1 else {**state, "unit": "pieces"}


@payload("town.Counted.v1")
class Counted(BaseModel):
    by: int


class Total(BaseModel):
    total: int = 0


class Counter(EventSourcedAgent[Total]):
    snapshot_every = 3

    def __init__(self, agent_id: AgentId, closed: list[str]) -> None:
        super().__init__("counts by events", Total())
        self._id = agent_id

    @fold
    def counted(self, event: Counted) -> None:
        self.state.total += event.by


class House:
    """A kernel and journal of one agent type, as far as activations know them."""

    def __init__(self, made: type[Any] = Clerk) -> None:
        self.made = made
        self.stored: dict[bytes, AgentState] = {}
        self.closed: list[str] = []
        self.clock = StillClock()

    async def instantiate(self, agent_id: AgentId) -> Any:
        return self.made(agent_id, self.closed)

    def add_message_serializer(self, serializer: Any) -> None:
        """Nothing is read here."""

    async def load(self, lane: bytes) -> AgentState | None:
        return self.stored.get(lane)

    def activations(self, **given: Any) -> Activations:
        chosen: dict[str, Any] = {"state": "stored", "limit": 100, "clock": self.clock, **given}
        return Activations(self, self.load, **chosen)  # pyright: ignore[reportArgumentType] - a kernel in part

    def commit(self, lane: bytes, change: StateChange | None) -> None:
        """Store a change as a journal does."""
        if change is None:
            return
        before = self.stored.get(lane, AgentState(version=0, snapshot=None))
        assert before.version == change.expected
        events = () if change.snapshot is not None else (*before.events, *change.events)
        snapshot = before.snapshot if change.snapshot is None else change.snapshot
        self.stored[lane] = AgentState(version=change.version, snapshot=snapshot, events=events)


async def turn(house: House, activations: Activations, act: Any, lane: bytes = LANE) -> StateChange | None:
    """Run one committed turn and return what it stored."""
    version = house.stored[lane].version if lane in house.stored else 0
    activated = await activations.activate(AgentId("clerk", lane.decode()), lane, version)
    act(activated.agent)
    change = await activations.change(activated)
    house.commit(lane, change)
    await activations.keep(lane, activated, change)
    return change


def count(agent: Any) -> None:
    agent.count += 1


def nothing(agent: Any) -> None: ...


async def test_a_kept_instance_is_used_at_its_version_and_no_other():
    house = House()
    activations = house.activations()
    await turn(house, activations, count)
    kept = await activations.activate(KEY, LANE, 1)
    await activations.keep(LANE, kept, None)
    house.commit(LANE, StateChange(expected=1, snapshot=b'{"count":40}'))

    again = await activations.activate(KEY, LANE, 2)

    assert again.agent is not kept.agent
    assert (again.agent.count, house.closed) == (40, ["l" * 16])  # pyright: ignore[reportAttributeAccessIssue]


async def test_an_unchanged_snapshot_is_not_written_again_even_after_a_reload():
    house = House()
    await turn(house, house.activations(), count)

    activations = house.activations()

    assert await turn(house, activations, nothing) is None
    assert await turn(house, activations, count) == StateChange(expected=1, snapshot=b'{"count":2}')
    assert await turn(house, activations, nothing) is None


async def test_a_version_that_the_journal_does_not_hold_is_an_error():
    with pytest.raises(JournalError, match="not in the journal"):
        await House().activations().activate(KEY, LANE, 7)


async def test_a_state_of_an_earlier_form_is_brought_up_step_by_step():
    house = House()
    await turn(house, house.activations(), count)
    house.made = RecentClerk

    change = await turn(house, house.activations(), count)

    assert change == StateChange(expected=1, snapshot=b'v3:{"sum":2,"unit":"pieces"}')


async def test_a_state_of_newer_code_is_told_and_left_as_it_is():
    house = House(RecentClerk)
    await turn(house, house.activations(), count)
    before = dict(house.stored)
    house.made = Clerk

    with pytest.raises(StateVersionError, match="newer code"):
        await turn(house, house.activations(), count)
    assert house.stored == before


async def test_an_earlier_form_that_nobody_reads_any_more_is_told():
    class Forgetful(RecentClerk):
        @classmethod
        def upcast_state(cls, version: int, state: Mapping[str, Any]) -> Mapping[str, Any]:
            return super(RecentClerk, cls).upcast_state(version, state)

    house = House()
    await turn(house, house.activations(), count)
    house.made = Forgetful

    with pytest.raises(StateVersionError, match="upcast_state"):
        await turn(house, house.activations(), count)


async def test_events_are_stored_and_every_third_brings_a_snapshot():
    house = House(Counter)
    activations = house.activations()

    def record(agent: Any) -> None:
        agent.record(Counted(by=2))

    changes = [await turn(house, activations, record) for _ in range(4)]

    event = b'town.Counted.v1\n{"by":2}'
    assert changes == [
        StateChange(expected=0, events=(event,)),
        StateChange(expected=1, events=(event,)),
        StateChange(expected=2, events=(event,), snapshot=b'{"total":6}'),
        StateChange(expected=3, events=(event,)),
    ]


async def test_an_event_sourced_agent_is_loaded_from_its_snapshot_and_the_events_after_it():
    house = House(Counter)
    seen = list[int]()

    def record_and_look(agent: Any) -> None:
        seen.append(agent.state.total)
        agent.record(Counted(by=1))
        agent.record(Counted(by=1))

    for _ in range(6):
        await turn(house, house.activations(), record_and_look)

    assert seen == [0, 2, 4, 6, 8, 10]
    assert (house.stored[LANE].version, house.stored[LANE].snapshot) == (12, b'{"total":12}')


async def test_a_turn_that_records_nothing_stores_nothing():
    assert await turn(House(Counter), House(Counter).activations(), nothing) is None


async def test_the_count_of_kept_instances_is_limited_and_the_oldest_go_first():
    house = House()
    activations = house.activations(limit=2)

    for lane in (b"a", b"b", b"a", b"c"):
        await turn(house, activations, count, lane)

    assert (house.closed, len(activations)) == (["b"], 2)


async def test_instances_leave_after_their_idle_time():
    house = House()
    activations = house.activations()
    put_away = PutAway([activations], clock=house.clock, options=EngineOptions(idle_seconds=60.0))
    await turn(house, activations, count, b"a")
    house.clock.seconds = 30.0
    await turn(house, activations, count, b"b")

    house.clock.seconds = 61.0
    await put_away.look()

    assert house.closed == ["a"]


async def test_above_the_memory_limit_the_oldest_quarter_of_all_types_leaves():
    first, second = House(), House()
    second.clock = first.clock
    several = [first.activations(), second.activations()]
    sizes = iter([200, 200, 50])
    options = EngineOptions(memory_limit_bytes=100)
    put_away = PutAway(several, clock=first.clock, options=options, resident=lambda: next(sizes))
    for number in range(8):
        first.clock.seconds = float(number)
        await turn((first, second)[number % 2], several[number % 2], count, b"%d" % number)

    for _ in range(3):
        await put_away.look()

    assert sorted(first.closed + second.closed) == ["0", "1", "2", "3"]


async def test_an_instance_that_is_the_only_home_of_its_state_is_never_put_away():
    house = House()
    activations = house.activations(state="process", limit=1)
    options = EngineOptions(idle_seconds=0.0, memory_limit_bytes=1)
    put_away = PutAway([activations], clock=house.clock, options=options, resident=lambda: 100)
    kept = [await activations.activate(KEY, lane, 0) for lane in (b"a", b"b")]
    for lane, each in zip((b"a", b"b"), kept, strict=True):
        await activations.keep(lane, each, None)

    house.clock.seconds = 1e6
    await put_away.look()

    assert (house.closed, len(activations)) == ([], 2)


async def test_an_instance_in_a_turn_cannot_be_put_away():
    house = House()
    activations = house.activations()
    options = EngineOptions(idle_seconds=0.0, memory_limit_bytes=1)
    put_away = PutAway([activations], clock=house.clock, options=options, resident=lambda: 100)
    running: Activated = await activations.activate(KEY, LANE, 0)

    await put_away.look()

    assert running.agent.closed == []  # pyright: ignore[reportAttributeAccessIssue]
