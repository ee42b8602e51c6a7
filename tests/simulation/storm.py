"""One seed: orders and whoever else is there, processes that crash, freeze and come back, breaking ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import timedelta
from typing import Any

from agentopic.testing.simulation import World, simulate
from agentopic.testing.verdict import Verdict, judge

from .outside import answer_questions, ask_a_till, be_a_clerk, cancel_an_order, pause_a_till
from .shop import KEPT_SECONDS, LEASE_SECONDS, PARTITIONS, UNWOUND_SECONDS, Shop
from .themes import DEEDS, themes_of

AFTERMATH_SECONDS = 0.3
PATIENT_STEPS = 200
FIRST_STEP, LAST_STEP = 20, 500
STOPPED = 0.3
"""How many of the seeds end with an orderly stop; the others just end."""
CLERKS_ORDERS = range(100, 102)


def storm(seed: int) -> Verdict:
    """Play one seed to its end and judge it."""
    return simulate(seed, lambda world: _Storm(world, seed).play())


class _Storm:
    def __init__(self, world: World, seed: int) -> None:
        self.world, self.choice, self.seed = world, world.choice, seed
        self.themes = themes_of(seed)
        # Whoever asks a process-lived agent stays in memory for as long as that may be silent.
        stays = "process-lived callers" in self.themes or self.choice.random() < 0.3
        self.shop = Shop(world, suspend_seconds=KEPT_SECONDS if stays else UNWOUND_SECONDS)
        self.shop.tells_intentions = True
        world.weather.burying = self._buried
        self.living = [f"p{index}" for index in range(self.choice.choice((2, 2, 2, 3)))]
        self.mortal: list[str] = []
        """Processes beside the tills', that die at most once and are not started again."""
        self.plan: list[tuple[int, str]] = []
        self.guests: list[tuple[str, asyncio.Task[None]]] = []
        """What must end before the seed does, and in which process."""
        self.numbers = iter(range(100))
        self.coming = 0
        """How many faults have not ended yet, and how many guests are still to come."""
        self.stood_still = False
        """Whether a process was stopped or silent, and went on."""
        self.scattered = self.choice.random() < 0.3
        """Whether copies of an event lie in other partitions too: an order that nobody promises then."""

    async def play(self) -> Verdict:
        world, choice = self.world, self.choice
        world.weather.broken = choice.choice((0.0, 0.0, 0.01, 0.03))
        await asyncio.gather(*(world.spawn(each, self.shop.serve(each)) for each in self.living))
        self._invite()
        self._plan_faults()
        for _ in range(choice.randrange(3, 7)):
            self._publish(choice.choice("ab"))
            await asyncio.sleep(choice.random() * 0.25)
        await world.until(lambda: not self.plan or self._is_over, 90)
        self._heal()
        done = await world.until(lambda: self._is_over, 200)
        if self.stood_still:
            await asyncio.sleep(AFTERMATH_SECONDS)  # for what a process that had lost its lease might still do
        facts = self.shop.drain()
        verdict = judge(f"seed {self.seed}", facts, ordered=not self.scattered)
        failed = [each.detail for each in facts if each.operation == "request" and each.detail]
        if choice.random() < STOPPED:
            await self._stop()
        assert done, f"{verdict.line()}; {self.themes}; unfinished: {world.store.lanes}"
        assert not failed, f"{verdict.line()}: requests failed: {failed}"
        assert not self.shop.wrong, f"{verdict.line()}: {self.shop.wrong}"
        return verdict

    @property
    def _is_over(self) -> bool:
        return not self.coming and all(task.done() for _, task in self.guests) and self.shop.is_done

    # ── work ───────────────────────────────────────────────────────────────────────────────────────────────

    def _invite(self) -> None:
        """Have the others come whom this seed is about."""
        if "questions" in self.themes:
            self.world.spawn("person", answer_questions(self.shop))
        if "outside callers" in self.themes:
            for number in range(2):
                self._guest("client", ask_a_till(self.shop, number))
            self.mortal.append("client")
        if "process-lived callers" in self.themes:
            self._guest("clerk", be_a_clerk(self.shop, CLERKS_ORDERS))
            self.mortal.append("clerk")
        if "pause and resume" in self.themes:
            self._guest("control", pause_a_till(self.shop, "a", lambda: self._publish("a")))

    def _guest(self, process: str, work: Coroutine[Any, Any, None]) -> None:
        self.guests.append((process, self.world.spawn(process, work)))

    def _publish(self, key: str) -> int:
        choice, number = self.choice, next(self.numbers)
        home = ord(key) % PARTITIONS
        places = range(PARTITIONS) if self.scattered else (home,)
        copies = [choice.choice(places) for _ in range(choice.choice((0, 0, 1, 2)))]
        deeds = [choice.choice(DEEDS[each]) for each in self.themes if each in DEEDS and choice.random() < 0.6]
        self.shop.publish(number, key, [home, *copies], deeds)
        if "cancelled runs" in self.themes and choice.random() < 0.3:
            self.world.loop.call_later(choice.random() * 0.5, lambda: self._cancel(number))
            self.coming += 1
        return number

    def _cancel(self, number: int) -> None:
        self.coming -= 1
        self._guest("control", cancel_an_order(self.shop, number))

    # ── faults ─────────────────────────────────────────────────────────────────────────────────────────────

    def _plan_faults(self) -> None:
        now, choice = self.world.loop.steps, self.choice
        steps = sorted(choice.randrange(FIRST_STEP, LAST_STEP) for _ in range(choice.choice((1, 1, 1, 2, 3))))
        kinds = ["crash", "crash", "freeze", "silence", *(["death"] if self.mortal else ())]
        if "process-lived callers" not in self.themes:  # they have no journal, and so no clock but their own
            kinds.append("clock")
        self.plan = [(now + each, choice.choice(kinds)) for each in steps]
        self.world.loop.after_step = self._maybe

    def _maybe(self, step: int) -> None:
        if not self.plan or step < self.plan[0][0] or not self.living:
            return
        # Where calls are open a fault hurts; it waits a while for one.
        busy = [each for each in self.living if self.shop.open_calls[each]]
        if busy or step > self.plan[0][0] + PATIENT_STEPS:
            _, kind = self.plan.pop(0)
            if kind == "death":
                self._die()
            else:
                self._strike(kind, self.choice.choice(busy or self.living))

    def _die(self) -> None:
        """End a script or a caller for good."""
        if not self.mortal:
            return
        process = self.mortal.pop(self.choice.randrange(len(self.mortal)))
        facts = self.shop.history.facts
        begun = {each.subject for each in facts if each.operation == "request" and each.phase == "invoke"}
        ended = {each.subject for each in facts if each.operation == "request" and each.phase != "invoke"}
        open_requests = sorted(begun - ended) if process == "client" else []
        for request in open_requests:
            self.shop.history.note("request", "unknown", request)
        self.shop.history.note("fault", "ok", "death", process=process, hit=open_requests)
        self.world.loop.drop(process)
        self.guests = [each for each in self.guests if each[0] != process]

    def _strike(self, kind: str, process: str) -> None:
        world, choice = self.world, self.choice
        hit = self.shop.open_calls.pop(process, set())
        self.shop.history.note("fault", "ok", kind, process=process, hit=sorted(hit))
        if kind == "crash":
            self.living.remove(process)
            world.loop.drop(process)
            successor = f"{process}'"
            self.living.append(successor)
            world.loop.call_later(
                choice.random(), lambda: world.spawn(successor, self.shop.serve(successor)), context=Context()
            )
        elif kind == "freeze":
            world.loop.freeze(process)
            self._later(LEASE_SECONDS * (0.3 + choice.random() * 1.4), lambda: world.loop.thaw(process))
        elif kind == "clock":
            world.clock.wall_offset = timedelta(hours=choice.choice((-1, 1)))
        else:
            world.weather.silenced.add(process)
            self._later(LEASE_SECONDS * (0.8 + choice.random() * 1.2), lambda: world.weather.silenced.discard(process))

    def _later(self, seconds: float, end: Callable[[], object]) -> None:
        """Have a fault end by itself; the seed is not over before."""

        def ends() -> None:
            self.coming -= 1
            end()

        self.coming += 1
        self.stood_still = True
        self.world.loop.call_later(seconds, ends, context=Context())  # the world's own: no process's fate touches it

    def _buried(self, process: str) -> None:
        """Note what a process has open that is declared dead while it works on: that is lost to it, too."""
        if process in self.living:
            hit = self.shop.open_calls.pop(process, set())
            self.shop.history.note("fault", "ok", "buried", process=process, hit=sorted(hit))

    def _heal(self) -> None:
        """Let nothing new go wrong; what is wrong ends by itself."""
        self.plan.clear()
        self.world.weather.broken = 0.0
        self.world.loop.after_step = None

    async def _stop(self) -> None:
        running = self.shop.running
        await asyncio.gather(*(self.world.spawn(each, running[each].stop()) for each in self.living if each in running))
