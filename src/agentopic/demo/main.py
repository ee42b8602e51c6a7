"""The demo from beginning to end: set the stage, run, count, say what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from agentopic.demo.children import Children
from agentopic.demo.display import Display, display_for, print_json, print_table
from agentopic.demo.distributed import DistributedRun
from agentopic.demo.figures import Account, figures
from agentopic.demo.folder import RunFolder
from agentopic.demo.local import LocalRun
from agentopic.demo.money import Kill, spending
from agentopic.demo.options import DEFAULT_TASKS, DemoOptions
from agentopic.demo.provider import Door, Provider
from agentopic.demo.questions import Question, questions
from agentopic.demo.result import DemoResult
from agentopic.demo.road import road_for
from agentopic.demo.watch import CALLS, PUBLISHED, Watch
from agentopic.errors import ConfigError, MissingExtraError
from agentopic.settings import Settings

__all__ = ["DEFAULT_TASKS", "DemoOptions", "DemoResult", "main", "run_demo"]

_LOCAL = "in one process, nothing is stored"


def main(options: DemoOptions) -> int:
    """Run the demo, print what came of it, and return the exit code: 0 only when every figure is right."""
    result = asyncio.run(run_demo(options))
    (print_json if options.output == "json" else print_table)(result)
    return 0 if result.ok else 1


async def run_demo(options: DemoOptions) -> DemoResult:
    """Run the demo and return its figures, right or wrong.

    Raises:
        ConfigError: more tasks are asked for than there are questions, or a client library is not installed.
        DemoError: a process did not do its part.
        UnreachableError: the servers of the road cannot be had.
    """
    settings = Settings(runtime_type=options.runtime_type)
    _require_extras(options, settings)
    asked = _questions(options.tasks)
    folder = RunFolder(keep=options.keep)
    folder.write_lines("tasks.jsonl", [{"task": each.task, "question": each.text} for each in asked])
    try:
        with display_for(len(asked), progress=options.progress) as display, Children(folder.path) as children:
            return await _Demo(
                options=options,
                settings=settings,
                asked=asked,
                folder=folder,
                display=display,
                children=children,
                watch=Watch(folder, len(asked), display),
                provider=Provider.of(settings),
                began=time.monotonic(),
            ).run()
    finally:
        folder.close()


@dataclass(slots=True, kw_only=True)
class _Demo:
    """One run."""

    options: DemoOptions
    settings: Settings
    asked: Sequence[Question]
    folder: RunFolder
    display: Display
    children: Children
    watch: Watch
    provider: Provider
    began: float

    async def run(self) -> DemoResult:
        """Run on the road that is asked for, or on none."""
        self.display.note(self.provider.announcement)
        door = await Door.open(self.provider, self.children, self.folder.path / CALLS)
        if self.settings.runtime_type == "local":
            return await self._locally(door)
        return await self._distributed(door)

    async def _locally(self, door: Door) -> DemoResult:
        self.display.note("three services in one process: nothing is stored, so nothing is killed")
        await LocalRun(
            folder=self.folder,
            door=door,
            children=self.children,
            watch=self.watch,
            patience_seconds=self._patience_seconds,
        ).run()
        return self._result(None, _LOCAL, f"cat {self.folder.shown / 'reports.jsonl'}")

    async def _distributed(self, door: Door) -> DemoResult:
        async with road_for(self.options, self.settings, self.folder) as road:
            self.display.note(f"road: {road.described}")
            run = DistributedRun(
                road=road,
                folder=self.folder,
                door=door,
                children=self.children,
                display=self.display,
                watch=self.watch,
                patience_seconds=self._patience_seconds,
            )
            kill = await run.run()
            return self._result(kill, road.described, road.look(self.folder.shown), run.deserters)

    @property
    def _patience_seconds(self) -> float:
        """Real models take their time."""
        return (30.0 + len(self.asked)) * (1 if self.provider.scripted else 5)

    def _result(self, kill: Kill | None, road: str, look: str, deserters: Sequence[str] = ()) -> DemoResult:
        local = self.settings.runtime_type == "local"
        others = [*self.folder.lines("parts.jsonl"), *self.folder.lines("findings.jsonl")]
        account = Account(
            questions=self.asked,
            published=self.folder.lines(PUBLISHED),
            reports=self.folder.lines("reports.jsonl"),
            other_events=others,
            spending=spending(self.watch.calls(), kill),
            kill=kill,
            deserters=deserters,
        )
        return DemoResult(
            figures=figures(account, killed=not local),
            road=road,
            runtime_type=self.settings.runtime_type,
            model=self.provider.model,
            scripted=self.provider.scripted,
            killed=kill.worker if kill else None,
            seconds=round(time.monotonic() - self.began, 1),
            directory=str(self.folder.shown),
            look=look,
        )


def _require_extras(options: DemoOptions, settings: Settings) -> None:
    """Say at once what is missing, instead of letting a service say it in its log."""
    needed = {"openai": "openai"}
    if options.transport == "kafka" and settings.runtime_type == "distributed":
        needed |= {"aiokafka": "kafka", "asyncpg": "postgres"}
    for library, extra in needed.items():
        if find_spec(library) is None:
            raise MissingExtraError("the demo", extra)


def _questions(count: int) -> list[Question]:
    try:
        return questions(count)
    except ValueError as exc:
        raise ConfigError(f"--tasks: {exc}") from exc
