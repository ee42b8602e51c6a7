"""One seed: orders and requests, processes that crash, freeze and come back, a journal and a broker that break."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from agentopic.testing.simulation import World, simulate
from agentopic.testing.verdict import Verdict, judge

from .shop import PARTITIONS, Shop

FREEZE_SECONDS = 2.5
SILENT_SECONDS = 3.5
PATIENT_STEPS = 400
FIRST_STEPS, LAST_STEPS = 20, 1200


def storm(seed: int) -> Verdict:
    """Play one seed to its end and judge it."""
    return simulate(seed, lambda world: _Storm(world, seed).play())


class _Storm:
    def __init__(self, world: World, seed: int) -> None:
        self.world, self.choice, self.seed = world, world.choice, seed
        self.shop = Shop(world)
        self.shop.tells_intentions = True
        world.weather.burying = self._buried
        self.living = [f"p{index}" for index in range(self.choice.choice((2, 2, 3)))]
        self.plan: list[tuple[int, str]] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.scattered = self.choice.random() < 0.3
        """Whether copies of an event lie in other partitions too: an order that nobody promises then."""

    async def play(self) -> Verdict:
        world, choice = self.world, self.choice
        world.weather.broken = choice.choice((0.0, 0.0, 0.01, 0.03))
        await asyncio.gather(*(world.spawn(each, self.shop.serve(each)) for each in self.living))
        orders = choice.randrange(4, 9)
        asking = [self._spawn("client", self.shop.ask(number)) for number in range(choice.choice((0, 1, 2)))]
        self._plan_faults()
        for number in range(orders):
            self._publish(number)
            await asyncio.sleep(choice.random() * 0.3)
        if not await world.until(lambda: not self.plan and all(each.done() for each in asking), 90):
            self.plan.clear()
        await self._heal()
        done = await world.until(lambda: self.shop.is_done and all(each.done() for each in asking), 200)
        facts = self.shop.drain()
        verdict = judge(f"seed {self.seed}", facts, ordered=not self.scattered)
        failed = [each.detail for each in facts if each.operation == "request" and each.detail]
        await self._stop()
        assert not failed, f"{verdict.line()}: requests failed: {failed}"
        assert not self.shop.premature, f"seed {self.seed}: published before their commit: {self.shop.premature}"
        assert not verdict.dead, f"{verdict.line()}: given up without a reason"
        assert done, f"seed {self.seed}: {verdict.line()}; unfinished: {world.store.lanes}"
        return verdict

    def _spawn(self, process: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self.world.spawn(process, work)
        self.tasks.append(task)
        return task

    def _publish(self, number: int) -> None:
        key = self.choice.choice("ab")
        home = ord(key) % PARTITIONS
        places = range(PARTITIONS) if self.scattered else (home,)
        copies = [self.choice.choice(places) for _ in range(self.choice.choice((0, 0, 1, 2)))]
        self.shop.publish(number, key, [home, *copies])

    # ── faults ─────────────────────────────────────────────────────────────────────────────────────────────

    def _plan_faults(self) -> None:
        now = self.world.loop.steps
        steps = sorted(self.choice.randrange(FIRST_STEPS, LAST_STEPS) for _ in range(self.choice.choice((1, 1, 2, 3))))
        self.plan = [
            (now + each, self.choice.choice(("crash", "crash", "freeze", "silence", "clock"))) for each in steps
        ]
        self.world.loop.after_step = self._maybe

    def _maybe(self, step: int) -> None:
        if not self.plan or step < self.plan[0][0] or not self.living:
            return
        # Where calls are open a fault hurts; it waits a while for one.
        busy = [each for each in self.living if self.shop.open_calls[each]]
        if busy or step > self.plan[0][0] + PATIENT_STEPS:
            _, kind = self.plan.pop(0)
            self._strike(kind, self.choice.choice(busy or self.living))

    def _strike(self, kind: str, process: str) -> None:
        world = self.world
        hit = self.shop.open_calls.pop(process, set())
        self.shop.history.note("fault", "ok", kind, process=process, hit=sorted(hit))
        if kind == "crash":
            self.living.remove(process)
            world.loop.drop(process)
            successor = f"{process}'"
            self.living.append(successor)
            delay = self.choice.random() * 2
            world.loop.call_later(delay, lambda: self._spawn(successor, self.shop.serve(successor)))
        elif kind == "freeze":
            world.loop.freeze(process)
            world.loop.call_later(FREEZE_SECONDS, lambda: world.loop.thaw(process))
        elif kind == "clock":
            world.clock.wall_offset = timedelta(hours=self.choice.choice((-1, 1)))
        else:
            world.weather.silenced.add(process)
            world.loop.call_later(SILENT_SECONDS, lambda: world.weather.silenced.discard(process))

    def _buried(self, process: str) -> None:
        """Note what a process has open that is declared dead while it works on: that is lost to it, too."""
        if process in self.living:
            hit = self.shop.open_calls.pop(process, set())
            self.shop.history.note("fault", "ok", "buried", process=process, hit=sorted(hit))

    async def _heal(self) -> None:
        self.world.weather.broken = 0.0
        self.world.weather.silenced.clear()
        self.world.loop.after_step = None
        for process in self.living:
            self.world.loop.thaw(process)
        await asyncio.sleep(FREEZE_SECONDS)

    async def _stop(self) -> None:
        await asyncio.gather(
            *(self._spawn(each, self.shop.running[each].stop()) for each in self.living if each in self.shop.running)
        )
