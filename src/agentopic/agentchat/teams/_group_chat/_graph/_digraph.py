"""`DiGraph`: who speaks after whom, and on which conditions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from agentopic.agentchat.messages import BaseChatMessage


class DiGraphEdge(BaseModel):
    """The way to a target, open when the source's message fulfils the condition.

    Edges to one target with one `activation_group` activate it together: with all of them, or with any one.
    """

    target: str
    condition: str | Callable[[BaseChatMessage], bool] | None = Field(default=None)
    """A text that the message holds, or a function of it; None: always. A function is kept in condition_function."""
    condition_function: Callable[[BaseChatMessage], bool] | None = Field(default=None, exclude=True)
    activation_group: str = Field(default="")
    """The target's name unless given."""
    activation_condition: Literal["all", "any"] = "all"

    @model_validator(mode="after")
    def _settle(self) -> DiGraphEdge:
        if callable(self.condition):
            self.condition_function = self.condition
            self.condition = None
        self.activation_group = self.activation_group or self.target
        return self

    @property
    def is_conditional(self) -> bool:
        """Whether the edge has a condition of any kind."""
        return self.condition is not None or self.condition_function is not None

    def check_condition(self, message: BaseChatMessage) -> bool:
        """Whether this message opens the way."""
        if self.condition_function is not None:
            return self.condition_function(message)
        return not isinstance(self.condition, str) or self.condition in message.to_model_text()


class DiGraphNode(BaseModel):
    """A participant, and the ways from it."""

    name: str
    edges: list[DiGraphEdge] = []
    activation: Literal["all", "any"] = "all"


class DiGraph(BaseModel):
    """Nodes by name; those without a way to them begin, or the one named, and those without a way on are last."""

    nodes: dict[str, DiGraphNode]
    default_start_node: str | None = None

    def get_parents(self) -> dict[str, list[str]]:
        """For each node the names of those with an edge to it."""
        parents: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, edge in self.edges():
            parents.setdefault(edge.target, []).append(source)
        return parents

    def get_start_nodes(self) -> set[str]:
        """Those that begin."""
        return set(self.ordered_start_nodes())

    def ordered_start_nodes(self) -> list[str]:
        """Those that begin, in the order of the nodes."""
        if self.default_start_node:
            return [self.default_start_node]
        parents = self.get_parents()
        return [name for name in self.nodes if not parents[name]]

    def get_leaf_nodes(self) -> set[str]:
        """Those without a way on."""
        return {name for name, node in self.nodes.items() if not node.edges}

    def get_has_cycles(self) -> bool:
        """Whether there is a way back to any node."""
        return self.has_cycles_with_exit()

    def has_cycles_with_exit(self) -> bool:
        """Whether there are cycles.

        Raises:
            ValueError: one of them has no condition, so that nothing ends it.
        """
        endless = self._first_cycle(lambda edge: not edge.is_conditional)
        if endless is not None:
            raise ValueError(f"Cycle detected without exit condition: {' -> '.join(endless)}")
        return self._first_cycle(lambda _: True) is not None

    def get_remaining_map(self) -> dict[str, dict[str, int]]:
        """For each target and activation group how many edges it has."""
        counts: dict[str, Counter[str]] = {}
        for _, edge in self.edges():
            counts.setdefault(edge.target, Counter())[edge.activation_group] += 1
        return {target: dict(groups) for target, groups in counts.items()}

    def graph_validate(self) -> None:
        """Refuse a graph that cannot be run; ValueError."""
        if not self.nodes:
            raise ValueError("Graph has no nodes.")
        for source, edge in self.edges():
            if edge.target not in self.nodes:
                raise ValueError(f"the edge from {source!r} leads to {edge.target!r}, which is no node of the graph")
        if not self.get_start_nodes():
            raise ValueError("Graph must have at least one start node")
        if not self.get_leaf_nodes():
            raise ValueError("Graph must have at least one leaf node")
        for name, node in self.nodes.items():
            if len({edge.is_conditional for edge in node.edges}) > 1:
                raise ValueError(f"Node '{name}' has a mix of conditional and unconditional edges.")
        self.has_cycles_with_exit()
        self._check_groups()

    def edges(self) -> Iterator[tuple[str, DiGraphEdge]]:
        """All edges, each with the name of its source."""
        for name, node in self.nodes.items():
            for edge in node.edges:
                yield name, edge

    def _check_groups(self) -> None:
        known: dict[tuple[str, str], tuple[str, str]] = {}
        for source, edge in self.edges():
            group = (edge.target, edge.activation_group)
            condition, first = known.setdefault(group, (edge.activation_condition, source))
            if condition != edge.activation_condition:
                raise ValueError(
                    f"Conflicting activation conditions for target '{edge.target}' group '{edge.activation_group}': "
                    f"'{condition}' (from node '{first}') and '{edge.activation_condition}' (from node '{source}')"
                )

    def _first_cycle(self, counts: Callable[[DiGraphEdge], bool]) -> list[str] | None:
        """The first cycle of edges that count, found in the order of the nodes: its names, the first one twice."""
        done: set[str] = set()
        for start in self.nodes:
            path: dict[str, Iterator[str]] = {}
            name: str | None = None if start in done else start
            while name is not None:
                if name not in path:
                    path[name] = iter([edge.target for edge in self.nodes[name].edges if counts(edge)])
                following = next((target for target in path[name] if target not in done), None)
                if following in path:
                    names = [*path]
                    return [*names[names.index(following) :], following]
                if following is None:
                    done.add(name)
                    del path[name]
                    name = next(reversed(path), None)
                else:
                    name = following
        return None
