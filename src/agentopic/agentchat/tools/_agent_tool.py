"""`AgentTool`: an agent as a tool."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel

from agentopic.agentchat.agents import BaseChatAgent
from agentopic.agentchat.tools._task_runner_tool import TaskRunnerTool
from agentopic.core import Component, ComponentModel


class AgentToolConfig(BaseModel):
    """Config of AgentTool."""

    agent: ComponentModel
    return_value_as_last_message: bool = False


class AgentTool(TaskRunnerTool, Component[AgentToolConfig]):
    """Gives tasks to an agent; it has the agent's name and description."""

    component_config_schema = AgentToolConfig
    component_provider_override = "autogen_agentchat.tools.AgentTool"

    def __init__(self, agent: BaseChatAgent, return_value_as_last_message: bool = False) -> None:
        self._agent = agent
        super().__init__(agent, agent.name, agent.description, return_value_as_last_message)

    def _to_config(self) -> AgentToolConfig:
        return AgentToolConfig(
            agent=self._agent.dump_component(), return_value_as_last_message=self._return_value_as_last_message
        )

    @classmethod
    def _from_config(cls, config: AgentToolConfig) -> Self:
        return cls(BaseChatAgent.load_component(config.agent), config.return_value_as_last_message)
