"""`TeamAddresses`: the agent types and topics by which the manager and the participants of a team reach each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamAddresses:
    """Each agent also listens to the topic that is named like its type; topic sources are the agents' key."""

    manager: str
    """The manager's agent type."""
    participants: Mapping[str, str]
    """The participants' agent types by name, in order."""
    group: str
    """The topic that all listen to."""
    output: str
    """The topic that the manager listens to for what happens in those who speak."""

    @classmethod
    def of_process(cls, team_id: str, manager: str, participants: Sequence[str]) -> Self:
        """Addresses no other team has: each ends with the team's id."""
        return cls(
            manager=f"{manager}_{team_id}",
            participants={name: f"{name}_{team_id}" for name in participants},
            group=f"group_topic_{team_id}",
            output=f"output_topic_{team_id}",
        )
