"""`Team`: the interface of agents that work a task out together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from agentopic.agentchat.base._task import TaskRunner
from agentopic.core import ComponentBase


class Team(ABC, TaskRunner, ComponentBase[BaseModel]):
    """Runs tasks among several participants; a participant may be a team itself."""

    component_type = "team"

    @property
    @abstractmethod
    def name(self) -> str:
        """Unique within the team it takes part in, if any."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What the team can do, for whoever chooses among participants."""

    @abstractmethod
    async def reset(self) -> None:
        """Forget everything: the team, its participants, its termination condition."""

    @abstractmethod
    async def pause(self) -> None:
        """Tell the participants to pause; a running `run_stream` stays alive."""

    @abstractmethod
    async def resume(self) -> None:
        """Tell the participants to go on."""

    @abstractmethod
    async def save_state(self) -> Mapping[str, Any]:
        """All that is needed to go on later, as JSON values."""

    @abstractmethod
    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `save_state` gave, here or in AutoGen."""
