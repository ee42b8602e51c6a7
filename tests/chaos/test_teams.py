"""kill -9 of managers, participants and callers of a deployed team: every message once, every caller gets its end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest

from agentopic import DurableRuntime
from agentopic.agentchat.base import TaskResult
from agentopic.team_service import RemoteTeam
from agentopic.testing.proof import require, scale

from .chaos_team import TEAM, expected
from .fleet import HERE, Fleet, Worker, until

ROLES = {"manager": ["serve", "manager"], "ann": ["serve", "ann"], "bob": ["serve", "bob"]}


class Crew(Fleet):
    """Processes of one team and of its callers, by role."""

    def __init__(self, directory: Path, *, transport: str, journal: str, namespace: str, conversations: int) -> None:
        super().__init__(directory, transport=transport, journal=journal, namespace=namespace)
        self.roles = {**ROLES, "caller": ["call", "0", str(conversations)]}
        self.staff: dict[str, Worker] = {}
        self.started = 0

    async def play(self, role: str) -> None:
        """Start the process of a role and wait until it is ready."""
        with (self.directory / f"worker-{len(self.workers)}.log").open("wb") as log:
            command = [sys.executable, str(HERE / "chaos_team.py"), *self.roles[role]]
            worker = subprocess.Popen(  # noqa: ASYNC220 - that takes no time
                command, env=self._environment, stdout=log, stderr=subprocess.STDOUT, cwd=self.directory
            )
        self.workers.append(worker)
        self.staff[role] = worker
        self.started += 1
        await until(lambda: self.logs().count('"event": "ready"') >= self.started, f"{role} is ready")

    async def strike(self, role: str) -> None:
        """SIGKILL the process of a role in the middle of its work, and start another."""
        worker = self.staff[role]
        if role in {"ann", "bob"} and worker.poll() is None:
            await until(lambda: bool(self.open_calls(worker)) or self.are_over, f"{role} has a call open")
        if self.are_over:
            return
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        hit = sorted(self.open_calls(worker)) or [role]
        self.history.note("fault", "ok", f"kill {role}", process=str(worker.pid), hit=hit)
        await self.play(role)

    @property
    def ends(self) -> int:
        """How many conversations have their end."""
        return sum(each.operation == "request" and each.phase == "ok" for each in self.history.read())

    @property
    def calls(self) -> int:
        """How many calls were paid."""
        return sum(each.operation == "call" and each.phase == "invoke" for each in self.history.read())

    @property
    def are_over(self) -> bool:
        """Whether all conversations have their end."""
        return self.ends >= int(self.roles["caller"][2])


@pytest.mark.timeout(900)
async def test_kills_of_manager_participants_and_callers_lose_and_repeat_nothing(
    kafka: str, postgres_dsn: str, ns: str, tmp_path: Path
) -> None:
    conversations, kills = scale(30, 200), scale(4, 20)
    transport = f"kafka://{kafka}"
    with Crew(tmp_path, transport=transport, journal=postgres_dsn, namespace=ns, conversations=conversations) as crew:
        for role in ROLES:
            await crew.play(role)
        for number in range(conversations):
            for place in range(len(expected(number))):
                crew.history.note("publish", "ok", f"c{number}#{place}")
        await crew.play("caller")
        share = conversations * 6 // (2 * kills)
        for kill, role in zip(range(kills), cycle(("ann", "manager", "caller", "bob")), strict=False):
            await until(lambda wanted=kill: crew.calls > wanted * share, "the work goes on", 120)
            await crew.strike(role)
        await until(lambda: crew.are_over, "every caller has its end", 300)
        await rejoin(crew, transport, postgres_dsn, conversations)

        said = {each.subject: each.detail["said"] for each in crew.history.read() if "said" in each.detail}
        verdict = require("kill -9 of a team's members and callers", crew.history.read(), ordered=False)

    assert said == {f"c{number}": expected(number) for number in range(conversations)}
    assert verdict.faults == kills


async def rejoin(crew: Crew, transport: str, journal: str, conversations: int) -> None:
    """Join every conversation by its id and note what its whole stream shows."""
    async with DurableRuntime(transport, journal, namespace=crew.namespace) as runtime:

        async def join(number: int) -> None:
            result: TaskResult | None = None
            async for item in RemoteTeam(TEAM, runtime).join(f"c{number}"):
                result = item if isinstance(item, TaskResult) else result
            assert result is not None
            assert [message.to_text() for message in result.messages] == expected(number)
            for place, message in enumerate(result.messages):
                crew.history.note("output", "ok", f"c{number}#{place}", id=message.id, key=f"c{number}", turn=place + 1)

        await asyncio.gather(*(join(number) for number in range(conversations)))
