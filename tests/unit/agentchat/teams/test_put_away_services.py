"""A deployed team whose agents are put away after every message says the same as one that lives in one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentopic.agentchat.base import TaskResult
from agentopic.team_service import RemoteTeam, TeamService
from agentopic.testing import MemoryMesh

from .test_put_away import WORLDS, undisturbed

PARALLEL = {"diamond", "loop"}
"""Teams in which several speak at once: in which order they are heard is not said."""


class Counted:
    """Counts how often a team is made."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make, self.count = make, 0

    def __call__(self) -> Any:
        self.count += 1
        return self.make()


@pytest.mark.parametrize("name", WORLDS)
async def test_a_deployed_team_put_away_after_every_message_says_the_same(name: str) -> None:
    _, world = WORLDS[name]
    here, make = world()(), Counted(world())
    expected = [await undisturbed(here, task) for task in ("first", "second")]

    async with MemoryMesh(idle_agents=0) as mesh:
        process = await mesh.run(*TeamService(make, name="team").services())
        remote = RemoteTeam("team", process)
        actual = [await deployed(remote, task) for task in ("first", "second")]

    assert make.count > 20
    if name not in PARALLEL:
        assert actual == expected
    else:
        assert [(sorted(said), reason) for said, reason in actual] == [(sorted(said), r) for said, r in expected]


async def deployed(team: RemoteTeam, task: str) -> tuple[list[tuple[str, str, str]], str | None]:
    said: list[tuple[str, str, str]] = []
    async for item in team.run_stream(task=task):
        if isinstance(item, TaskResult):
            kept = [(type(each).__name__, each.source, each.to_text()) for each in item.messages]
            assert sorted(kept) == sorted(said)
            return said, item.stop_reason
        said.append((type(item).__name__, item.source, item.to_text()))
    raise AssertionError("no result")
