"""A run with the same three services in one process, on the in-process runtime: no road, no journal, no kill."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from dataclasses import dataclass
from typing import Any, Final

from agentopic.demo.children import Child, Children
from agentopic.demo.folder import RunFolder
from agentopic.demo.provider import Door
from agentopic.demo.watch import PUBLISHED, Watch
from agentopic.errors import DemoError

_SERVICES: Final = ("agentopic.demo.planner:app", "agentopic.demo.analyst:app", "agentopic.demo.editor:app")


@dataclass(slots=True, kw_only=True)
class LocalRun:
    """One process that hears tasks on stdin and says what its agents publish on stdout."""

    folder: RunFolder
    door: Door
    children: Children
    watch: Watch
    patience_seconds: float

    async def run(self) -> None:
        """Let the tasks in and write down every event that comes out."""
        settings = {
            "AGENTOPIC_RUNTIME_TYPE": "local",
            "AGENTOPIC_LOG_FORMAT": "json",
            **self.door.settings_for("local"),
        }
        command = ["-m", "agentopic", "dev", *_SERVICES]
        process = self.children.start("services", command, settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        reading = asyncio.create_task(asyncio.to_thread(self._read, process))
        await asyncio.to_thread(self._publish, process)
        code = await process.until_ended(self.patience_seconds)
        if code is None:
            process.kill()
        await reading
        if code not in {0, None}:
            raise DemoError(f"the services ended with code {code}: {process.said()}")
        await self.watch.until_still(0.0)

    def _publish(self, process: Child) -> None:
        tasks = self.folder.lines("tasks.jsonl")
        if process.process.stdin is None:
            return
        with process.process.stdin as door:
            for task in tasks:
                event = {"topic": "task", "subject": task["task"], "type": "demo.Task.v1", "data": task}
                door.write(json.dumps(event).encode() + b"\n")
                door.flush()
        published = time.time()
        self.folder.write_lines(PUBLISHED, [{"task": task["task"], "published": published} for task in tasks])

    def _read(self, process: Child) -> None:
        for number, line in enumerate(process.process.stdout or ()):
            event: dict[str, Any] = json.loads(line)
            kept = {"received": time.time(), "id": str(number), "source": event["from"], **event}
            with (self.folder.path / f"{event['topic']}s.jsonl").open("a") as file:
                file.write(json.dumps(kept) + "\n")
