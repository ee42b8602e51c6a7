"""`AgentMetadata`: what an agent says about itself."""

from __future__ import annotations

from typing import TypedDict


class AgentMetadata(TypedDict):
    """Type, key and description of one agent."""

    type: str
    key: str
    description: str
