"""`TeamBlueprint`: makes a team anew for each conversation, from a factory or from component JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from agentopic.agentchat.base import Team
from agentopic.agentchat.service._addresses import ServiceAddresses
from agentopic.agentchat.service._desk import TeamDesk
from agentopic.agentchat.service._seat import TeamSeat
from agentopic.agentchat.teams import BaseGroupChat
from agentopic.core import BaseAgent, ComponentModel
from agentopic.errors import ConfigError

TeamSource: TypeAlias = Callable[[], BaseGroupChat] | ComponentModel | Mapping[str, Any]

_TWO_LINES: Final = """a team object cannot be deployed: all conversations would share its agents. Name what makes it:

    def make_team() -> {kind}:
        return {kind}(...)

and deploy make_team instead of the team"""


class TeamBlueprint:
    """Knows a team's name and participants, and makes its manager and participants for one conversation.

    Raises:
        ConfigError: the source is a team, makes none or the same one again, or needs arguments.
        InvalidNameError: the team or a participant has a name that cannot be an agent type.
        ComponentError: the component JSON cannot be loaded; it names where.
        ValueError: the team's settings do not fit each other.
    """

    def __init__(self, source: TeamSource, *, name: str | None = None) -> None:
        self._source = source
        team = self.make()
        _require_fresh(team, self.make())
        self.addresses = ServiceAddresses.of(name or team.name, team.participant_names)

    @property
    def name(self) -> str:
        """The name under which the team is deployed."""
        return self.addresses.team

    def make(self) -> BaseGroupChat:
        """A team of its own.

        Raises:
            ConfigError: the source does not make a team.
        """
        source: Any = self._source
        if isinstance(source, Team):
            raise ConfigError(_TWO_LINES.format(kind=type(source).__name__))
        if isinstance(source, ComponentModel | Mapping):
            made: Any = Team.load_component(cast("ComponentModel", source))
        elif callable(source):
            made = _called(source)
        else:
            raise ConfigError(f"a {type(source).__name__} makes no team: give a function without arguments")
        if not isinstance(made, BaseGroupChat):
            raise ConfigError(f"a team is needed, such as a RoundRobinGroupChat, and {_named(source)} gives a {made!r}")
        return made

    def factory(self, participant: str | None) -> Callable[[], BaseAgent]:
        """What makes the durable agents of a participant, or of the manager (None)."""

        def make() -> BaseAgent:
            team = self.make()
            if participant is None:
                return TeamDesk(team, self.addresses)
            return TeamSeat(team, participant, self.addresses)

        return make


def _called(source: Callable[[], Any]) -> Any:
    try:
        return source()
    except TypeError as exc:
        if exc.__traceback__ is not None and exc.__traceback__.tb_next is None:  # the call itself
            raise ConfigError(f"{_named(source)} cannot be called without arguments: {exc}") from exc
        raise


def _require_fresh(team: BaseGroupChat, other: BaseGroupChat) -> None:
    shared = {id(each) for each in team.participants} & {id(each) for each in other.participants}
    if team is other or shared:
        raise ConfigError(
            "the factory gives the same team or the same agents again, which all conversations would share: "
            "make them inside of the factory"
        )


def _named(source: Any) -> str:
    return str(getattr(source, "__qualname__", None) or type(source).__name__)
