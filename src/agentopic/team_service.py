"""`TeamService`: a team of agents as durable services, and `RemoteTeam` by which it is called from anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentopic.agentchat.service import PAYLOADS, RemoteTeam, TeamBlueprint, TeamOutput, TeamSource
from agentopic.core import AgentRuntime, TypeSubscription
from agentopic.engine.service import AgentService
from agentopic.errors import ConfigError

__all__ = ["RemoteTeam", "TeamService"]


class TeamService:
    """Declares the agent types of a team, each conversation of which is worked on wherever these are served.

    `source` is a function without arguments that makes the team, or its component JSON; it is asked anew for each
    conversation. The name is the team's own unless given. `options` are those of `AgentService` (`concurrency`,
    `retry`, `start_from`, budgets, `on_unknown`) and hold for each agent type.

    Raises:
        ConfigError: the source is a team object, or makes no team.
        ComponentError: the component JSON cannot be loaded.
        InvalidNameError: the team or a participant has a name that cannot be an agent type.
    """

    def __init__(self, source: TeamSource, *, name: str | None = None, **options: Any) -> None:
        self._blueprint = TeamBlueprint(source, name=name)
        self._options = options

    @property
    def name(self) -> str:
        """The name under which callers reach the team."""
        return self._blueprint.name

    @property
    def members(self) -> tuple[str, ...]:
        """What can be served on its own: `manager`, and the participants by name."""
        return ("manager", *self._blueprint.addresses.participants)

    def services(self, only: Iterable[str] = ()) -> list[AgentService]:
        """Return the agent types, all or those of some members.

        Raises:
            ConfigError: there is no such member.
        """
        wanted = tuple(only) or self.members
        for member in wanted:
            if member not in self.members:
                raise ConfigError(f"team {self.name!r} has no {member!r}: it has {', '.join(self.members)}")
        return [self._service(member) for member in self.members if member in wanted]

    async def register(self, runtime: AgentRuntime) -> None:
        """Register all of them on a runtime.

        Raises:
            RegistrationError: one of the types is registered there already.
        """
        for service in self.services():
            await service.register(runtime)

    def _service(self, member: str) -> AgentService:
        addresses = self._blueprint.addresses
        is_manager = member == self.members[0]
        agent_type = addresses.team if is_manager else addresses.seat(member)
        return AgentService(
            agent_type,
            self._blueprint.factory(None if is_manager else member),
            subscriptions=[TypeSubscription(addresses.line_type(agent_type), agent_type)],
            publishes={addresses.output: TeamOutput} if is_manager else None,
            payloads=PAYLOADS,
            **self._options,
        )
