"""`TeamTool`: a team as a tool."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel

from agentopic.agentchat.base import Team
from agentopic.agentchat.tools._task_runner_tool import TaskRunnerTool
from agentopic.core import Component, ComponentModel


class TeamToolConfig(BaseModel):
    """Config of TeamTool."""

    name: str
    description: str
    team: ComponentModel
    return_value_as_last_message: bool = False


class TeamTool(TaskRunnerTool, Component[TeamToolConfig]):
    """Gives tasks to a team."""

    component_config_schema = TeamToolConfig
    component_provider_override = "autogen_agentchat.tools.TeamTool"

    def __init__(self, team: Team, name: str, description: str, return_value_as_last_message: bool = False) -> None:
        self._team = team
        super().__init__(team, name, description, return_value_as_last_message)

    def _to_config(self) -> TeamToolConfig:
        return TeamToolConfig(
            name=self._name,
            description=self._description,
            team=self._team.dump_component(),
            return_value_as_last_message=self._return_value_as_last_message,
        )

    @classmethod
    def _from_config(cls, config: TeamToolConfig) -> Self:
        return cls(
            Team.load_component(config.team), config.name, config.description, config.return_value_as_last_message
        )
