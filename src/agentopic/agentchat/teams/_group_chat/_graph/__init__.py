"""Teams whose speakers follow a directed graph."""

from agentopic.agentchat.teams._group_chat._graph._digraph import DiGraph, DiGraphEdge, DiGraphNode
from agentopic.agentchat.teams._group_chat._graph._digraph_group_chat import GraphFlow, GraphFlowManager
from agentopic.agentchat.teams._group_chat._graph._graph_builder import DiGraphBuilder

__all__ = ["DiGraph", "DiGraphBuilder", "DiGraphEdge", "DiGraphNode", "GraphFlow", "GraphFlowManager"]
