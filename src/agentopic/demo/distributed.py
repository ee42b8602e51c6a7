"""A run with every agent type as a service of its own, and a worker killed in the middle."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass, field
from typing import Final

from agentopic.demo.children import Child, Children
from agentopic.demo.display import Display
from agentopic.demo.folder import RunFolder
from agentopic.demo.money import Kill
from agentopic.demo.provider import Door
from agentopic.demo.road import Road
from agentopic.demo.watch import PUBLISHED, Watch
from agentopic.errors import DemoError

WORKERS: Final = {
    "planner-1": "agentopic.demo.planner:app",
    "analyst-1": "agentopic.demo.analyst:app",
    "analyst-2": "agentopic.demo.analyst:app",
    "editor-1": "agentopic.demo.editor:app",
}
_VICTIMS: Final = ("analyst-1", "analyst-2")
_START_SECONDS: Final = 40.0
_END_SECONDS: Final = 15.0
_STILL_SECONDS: Final = 1.0


@dataclass(slots=True, kw_only=True)
class DistributedRun:
    """The processes of one run and what is done with them."""

    road: Road
    folder: RunFolder
    door: Door
    children: Children
    display: Display
    watch: Watch
    patience_seconds: float
    """How long reports are waited for."""
    deserters: list[str] = field(default_factory=list[str], init=False)
    """Workers that ended by themselves; none should."""

    async def run(self) -> Kill | None:
        """Start services, let tasks in, kill one worker, start it again, and wait for the reports.

        What does not come in time is missing from the files, and counted there.
        """
        workers = {name: self._work(name) for name in WORKERS}
        await self._until_ready(list(workers.values()))
        self.watch.crew = list(workers.values())
        self.display.note(f"ready: {', '.join(workers)}")
        subscriber, source = self._subscribe()
        kill: Kill | None = None
        try:
            await self._publish()
            async with asyncio.timeout(self.patience_seconds):
                kill = await self.watch.until_worth_a_kill([workers[name] for name in _VICTIMS])
                if kill is not None:
                    workers[kill.worker] = self._start_again(kill)
                    self.watch.crew = list(workers.values())
                await self.watch.until_reported()
        except TimeoutError:
            self.display.note(f"not all reports came within {self.patience_seconds:g} s")
        self.deserters = self.watch.deserters()
        await self._end(list(workers.values()))
        await self.watch.until_still(_STILL_SECONDS)
        await self._end([each for each in (source, subscriber) if each is not None])
        return kill

    def _work(self, name: str) -> Child:
        settings = {**self.road.settings, **self.door.settings_for(name)}
        return self.children.start(name, ["-m", "agentopic", "run", WORKERS[name]], settings)

    def _start_again(self, kill: Kill) -> Child:
        self.display.note(f"killed {kill.worker} with SIGKILL while a model call of it was open; starting it again")
        return self._work(kill.worker)

    async def _until_ready(self, workers: list[Child]) -> None:
        await asyncio.gather(*(worker.until_said('"ready"', _START_SECONDS) for worker in workers))

    def _subscribe(self) -> tuple[Child, Child | None]:
        source_command = self.road.subscriber_source()
        if source_command is None:
            return self.children.start("subscriber", self.road.subscriber(self.folder.path)), None
        source = self.children.start("tail", source_command, self.road.settings, stdout=subprocess.PIPE)
        command = self.road.subscriber(self.folder.path)
        return self.children.start("subscriber", command, stdin=source.process.stdout), source

    async def _publish(self) -> None:
        command = self.road.publisher(self.folder.path / "tasks.jsonl", self.folder.path / PUBLISHED)
        publisher = self.children.start("publisher", command, self.road.settings)
        if await publisher.until_ended(_START_SECONDS) != 0:
            raise DemoError(f"the publisher could not publish: {publisher.said()}")

    async def _end(self, children: list[Child]) -> None:
        for child in children:
            child.ask_to_end()
        codes = await asyncio.gather(*(child.until_ended(_END_SECONDS) for child in children))
        for child, code in zip(children, codes, strict=True):
            if code is None:
                self.display.note(f"{child.name} does not end within {_END_SECONDS:g} s")
