"""`GraphSchedule`: which nodes of a graph are to speak, from what has been said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from agentopic.agentchat.messages import BaseChatMessage
from agentopic.agentchat.teams._group_chat._graph._digraph import DiGraph, DiGraphEdge


class _Saved(BaseModel):
    remaining: dict[str, dict[str, int]]
    enqueued_any: dict[str, dict[str, bool]]
    ready: list[str]


class GraphSchedule:
    """Counts for each activation group which of its edges are open; a complete group makes its target ready."""

    def __init__(self, graph: DiGraph) -> None:
        self._graph = graph
        self._whole = graph.get_remaining_map()
        self._remaining: dict[str, dict[str, int]] = {}
        self._enqueued_any: dict[str, dict[str, bool]] = {}
        self._ready: list[str] = []
        self.reset()

    @property
    def is_empty(self) -> bool:
        """Whether no node is ready."""
        return not self._ready

    def reset(self) -> None:
        """Begin anew, with the start nodes."""
        self._remaining = {target: dict(groups) for target, groups in self._whole.items()}
        self._enqueued_any = {target: dict.fromkeys(groups, False) for target, groups in self._whole.items()}
        self._ready = self._graph.ordered_start_nodes()

    def heard(self, message: BaseChatMessage) -> None:
        """A node has said this; others may be ready now."""
        node = self._graph.nodes.get(message.source)
        for edge in node.edges if node is not None else ():
            if edge.check_condition(message):
                self._open(edge)

    def take(self) -> list[str]:
        """The nodes that are ready, each as often as it was activated; what activated them counts anew."""
        ready, self._ready = self._ready, []
        for name in ready:
            for group, edges in self._whole.get(name, {}).items():
                if self._remaining[name][group] <= 0 or self._enqueued_any[name][group]:
                    self._remaining[name][group] = edges
                    self._enqueued_any[name][group] = False
        return ready

    def resume(self, interrupted: Sequence[str]) -> None:
        """Make those ready again who were speaking when a run was cut short; begin anew when nobody is."""
        self._ready = [*interrupted, *self._ready]
        if not self._ready:
            self.reset()

    def dump(self) -> Mapping[str, Any]:
        """All of it as JSON."""
        saved = _Saved(remaining=self._remaining, enqueued_any=self._enqueued_any, ready=self._ready)
        return saved.model_dump()

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take over what `dump` gave, or AutoGen."""
        loaded = _Saved.model_validate(saved)
        self._remaining, self._enqueued_any = loaded.remaining, loaded.enqueued_any
        self._ready = loaded.ready

    def _open(self, edge: DiGraphEdge) -> None:
        target, group = edge.target, edge.activation_group
        if edge.activation_condition == "any":
            if self._enqueued_any[target][group]:
                return
            self._enqueued_any[target][group] = True
        else:
            self._remaining[target][group] -= 1
            if self._remaining[target][group] != 0:
                return
        self._ready.append(target)
