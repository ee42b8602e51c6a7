"""Teams: several agents that work a task out in a group chat, as in `autogen_agentchat.teams`."""

from agentopic.agentchat.teams._group_chat._base_group_chat import BaseGroupChat
from agentopic.agentchat.teams._group_chat._graph import (
    DiGraph,
    DiGraphBuilder,
    DiGraphEdge,
    DiGraphNode,
    GraphFlow,
)
from agentopic.agentchat.teams._group_chat._magentic_one import MagenticOneGroupChat
from agentopic.agentchat.teams._group_chat._round_robin_group_chat import RoundRobinGroupChat
from agentopic.agentchat.teams._group_chat._selector_group_chat import SelectorGroupChat
from agentopic.agentchat.teams._group_chat._swarm_group_chat import Swarm

__all__ = [
    "BaseGroupChat",
    "DiGraph",
    "DiGraphBuilder",
    "DiGraphEdge",
    "DiGraphNode",
    "GraphFlow",
    "MagenticOneGroupChat",
    "RoundRobinGroupChat",
    "SelectorGroupChat",
    "Swarm",
]
