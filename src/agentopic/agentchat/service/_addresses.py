"""`ServiceAddresses`: the agent types and topics of a deployed team, from its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from agentopic.agentchat.teams._group_chat._addresses import TeamAddresses
from agentopic.core import AgentId, TopicId


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddresses:
    """The manager is the agent type named like the team, a participant is `<team>.<participant>`.

    The key of every agent, and the source of every topic, is the conversation. All that manager and participants tell
    each other travels in one topic of the mesh; each listens to its own line in it.
    """

    team: str
    participants: tuple[str, ...]
    """Their names, in order."""

    @classmethod
    def of(cls, team: str, participants: Sequence[str] = ()) -> Self:
        """The addresses of a team.

        Raises:
            InvalidNameError: a name cannot be part of an agent type: use letters, digits, `_`, `-` and `.`.
        """
        made = cls(team=team, participants=tuple(participants))
        for agent_type in made.agent_types:
            AgentId(agent_type, "default")
        return made

    @property
    def agent_types(self) -> tuple[str, ...]:
        """The manager's, then the participants'."""
        return (self.team, *(self.seat(name) for name in self.participants))

    def seat(self, name: str) -> str:
        """The agent type of a participant."""
        return f"{self.team}.{name}"

    def line_type(self, agent_type: str) -> str:
        """The topic type by which an agent of the team hears from the others."""
        return f"team={self.team}:{agent_type}"

    def line(self, agent_type: str, conversation: str) -> TopicId:
        """Where one agent of the team is told something."""
        return TopicId(self.line_type(agent_type), conversation)

    @property
    def output(self) -> str:
        """The topic type of all that the team says; the manager alone writes it."""
        return f"{self.team}.output"

    def inside(self) -> TeamAddresses:
        """The addresses as manager and participants know them; what they tell is redirected."""
        seats = {name: self.seat(name) for name in self.participants}
        return TeamAddresses(manager=self.team, participants=seats, group=f"{self.team}.group", output=self.output)
