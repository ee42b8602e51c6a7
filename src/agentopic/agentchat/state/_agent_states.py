"""The saved states of agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field


class BaseState(BaseModel):
    """A saved state; `type` says of what, `version` in which form."""

    type: str = Field(default="BaseState")
    version: str = Field(default="1.0.0")


class AssistantAgentState(BaseState):
    """An assistant's conversation."""

    type: str = Field(default="AssistantAgentState")
    llm_context: Mapping[str, Any] = Field(default_factory=lambda: dict[str, Any]([("messages", [])]))


class SocietyOfMindAgentState(BaseState):
    """The state of the team inside an agent."""

    type: str = Field(default="SocietyOfMindAgentState")
    inner_team_state: Mapping[str, Any] = Field(default_factory=dict[str, Any])
