"""`crash_everywhere`: a process ends at every point of its work in turn, and another one has to finish it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from agentopic.core import TopicId
from agentopic.engine.options import EngineOptions
from agentopic.engine.runtime import EngineRuntime
from agentopic.engine.service import AgentService
from agentopic.envelope.kafka_topics import topic_events
from agentopic.ports.admin import TopicSpec
from agentopic.ports.journal import StepRow
from agentopic.testing.fault_points import FaultPoints
from agentopic.testing.landed import Landed
from agentopic.testing.simulation import World, simulate
from agentopic.testing.virtual_loop import StuckError

NAMESPACE = "test"
_VICTIM = "victim"
_NEVER = 0
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 300.0

Question = dict[str, Any]
"""What an agent asked: `text`, `choices`, `details`."""


class _Points(FaultPoints):
    """Counts every point a process comes by, and strikes at one of them."""

    def __init__(self, number: int, world: World) -> None:
        super().__init__("before intake", self._die, nth=number)
        self._world = world
        self.names: list[str] = []
        self.died = asyncio.Event()
        self.open_calls: Counter[str] = Counter()

    async def reach(self, point: str) -> None:
        """Come by a point; of the one that was chosen nothing returns."""
        self.names.append(point)
        if len(self.names) == self.nth:
            await self._die()

    async def _die(self) -> None:
        self.open_calls.update(each.name for each in _open_steps(self._world))
        self._world.loop.drop(_VICTIM)
        self.died.set()
        await asyncio.Event().wait()


_points: ContextVar[_Points | None] = ContextVar("agentopic_crash_points", default=None)


async def crash_point(name: str) -> None:
    """Mark a point of your own, say in the middle of a fake outside call, at which `crash_everywhere` crashes too."""
    points = _points.get()
    if points is not None:
        await points.reach(name)


class Aftermath(Landed):
    """What the world looks like once another process has finished what a dead one left: events, dead letters."""

    def __init__(self, world: World, points: _Points) -> None:
        super().__init__(world.log, NAMESPACE)
        self.point = points.names[points.nth - 1] if points.died.is_set() else None
        """Where the process was ended; None in the run without a crash."""
        self.open_calls: Counter[str] = points.open_calls
        """The steps, by name, that had begun and were not recorded: only these may be made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is played once for each point."""

    services: Sequence[AgentService]
    events: Sequence[tuple[Any, TopicId]]
    check: Callable[[Aftermath], None]
    reset: Callable[[], None] | None
    answer: Callable[[Question], Any] | None
    topics: Sequence[str]
    dead_letters: bool
    options: EngineOptions


def crash_everywhere(
    service: AgentService | Sequence[AgentService],
    events: Sequence[tuple[Any, TopicId]],
    check: Callable[[Aftermath], None],
    *,
    reset: Callable[[], None] | None = None,
    answer: Callable[[Question], Any] | None = None,
    topics: Sequence[str] = (),
    dead_letters: bool = False,
    **options: Any,
) -> Sequence[str]:
    """Run services on events, end their process at every point of that work, and check what another one makes of it.

    Points lie around all that leaves the process: storing events, intents and results of steps, commits, sends, their
    marks, and wherever your code says `await crash_point(...)`. At each of them, in a run of its own, the process
    vanishes: nothing of it is unwound. A second process finishes the work; then `check` is called, which raises
    AssertionError when the outside world is not as it should be. That nothing is lost or given up is checked here.

    `reset` makes the outside world new before each run. `answer` answers what agents ask people. `topics` are topic
    types that are written to and that no service declares. `dead_letters`: some are expected, `check` looks at them.
    `options` are fields of `agentopic.EngineOptions`. Time is virtual: sleeping costs nothing, but sockets do not exist
    and threads block. Call it from a plain test function. Returns the names of the points.

    Raises:
        AssertionError: something does not hold; the message names the point.

    >>> def test_the_customer_is_charged_once():
    ...     bank = Bank()
    ...     app = AgentService("till", lambda: Till(bank), subscriptions=[TypeSubscription("orders", "till")])
    ...
    ...     def check(after: Aftermath) -> None:
    ...         assert bank.charges == ["7"]
    ...
    ...     crash_everywhere(app, [(Order("7"), TopicId("orders", "ann"))], check, reset=bank.charges.clear)
    """
    chosen: dict[str, Any] = {"partitions": 2, "lease_seconds": 3.0, "drain_seconds": 2.0, **options}
    play = Play(
        services=[service] if isinstance(service, AgentService) else list(service),
        events=events,
        check=check,
        reset=reset,
        answer=answer,
        topics=topics,
        dead_letters=dead_letters,
        options=EngineOptions(namespace=NAMESPACE, **chosen),
    )
    points = _played(play, _NEVER, "without a crash")
    for number, name in enumerate(points, 1):
        _played(play, number, f"crashed at point {number} of {len(points)}, {name!r}")
    return points


def _played(play: Play, number: int, where: str) -> Sequence[str]:
    if play.reset is not None:
        play.reset()
    try:
        points, after = simulate(0, lambda world: _live(world, play, number))
        if number != _NEVER and after.point is None:
            raise AssertionError("the point was not reached: does the code depend on chance, or on an earlier run?")
        if not play.dead_letters:
            _require_no_dead_letters(play.services, after)
        play.check(after)
    except (AssertionError, StuckError) as exc:
        raise AssertionError(f"{where}: {exc}") from exc
    return points


async def _live(world: World, play: Play, number: int) -> tuple[Sequence[str], Aftermath]:
    points = _Points(number, world)
    await _prepare(world, play)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await _die_and_be_followed(world, play, points)
    except TimeoutError:
        steps = [f"{each.kind} {each.name!r}" for each in _open_steps(world)]
        raise AssertionError(
            f"not done after {_PATIENCE_SECONDS:g} virtual seconds; open steps: {', '.join(steps) or 'none'}"
        ) from None
    return points.names, Aftermath(world, points)


async def _die_and_be_followed(world: World, play: Play, points: _Points) -> None:
    victim = world.spawn(_VICTIM, _work(world, play, points))
    died = world.spawn("", points.died.wait())
    await asyncio.wait({victim, died}, return_when=asyncio.FIRST_COMPLETED)
    if points.died.is_set():
        await world.spawn("heir", _work(world, play, None))
    else:
        died.cancel()
        await victim


def _open_steps(world: World) -> Sequence[StepRow]:
    turns = world.store.steps.values()
    return [each.row for turn in turns for each in turn.values() if each.row.result is None]


async def _prepare(world: World, play: Play) -> None:
    """Have the topics there and the events published."""
    outside = EngineRuntime(world.mesh(), play.options)
    owner = EngineRuntime(world.mesh(), play.options)
    for service in play.services:
        await service.register(owner)
    world.log.create(owner.topics_plan())
    more = [topic_events(NAMESPACE, each) for each in play.topics]
    world.log.create([TopicSpec(name=each, partitions=play.options.partitions) for each in more])
    await outside.start()
    for message, topic in play.events:
        await outside.publish_message(message, topic)
    if play.answer is not None:
        world.spawn("person", _answer(outside, play.services, play.answer))


async def _work(world: World, play: Play, points: _Points | None) -> None:
    """Be one process, from its start until nothing is left to do."""
    if points is None:
        runtime = EngineRuntime(world.mesh(), play.options)
    else:
        _points.set(points)
        runtime = EngineRuntime(world.mesh(journal=points.journal, transport=points.transport), play.options)
    for service in play.services:
        await service.register(runtime)
    await runtime.start()
    await runtime.stop_when_idle()


async def _answer(person: EngineRuntime, services: Sequence[AgentService], answer: Callable[[Question], Any]) -> None:
    names = [each.name for each in services]
    while True:
        for question in await person.control.questions(names):
            await person.control.answer(question.id, question.agent, answer(question.note))
        await asyncio.sleep(_LOOK_SECONDS)


def _require_no_dead_letters(services: Sequence[AgentService], after: Aftermath) -> None:
    for service in services:
        letters = [f"{each.reason}: {each.message}" for each in after.dead_letters(service.name)]
        if letters:
            raise AssertionError(f"{service.name} has given up: {'; '.join(letters)}")
