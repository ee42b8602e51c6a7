"""Teams as targets: the function that makes a team, or a file of its component JSON."""

from __future__ import annotations

import json
import sys
from inspect import isroutine
from typing import TYPE_CHECKING, Any, cast

from agentopic.errors import ComponentError, ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from agentopic.team_service import TeamService


def team_of(found: Any, name: str | None) -> TeamService | None:
    """Return the team that an object of a module stands for; None when it is none.

    Raises:
        ConfigError: it is a team object, which cannot be deployed, or a function that makes no team.
        ComponentError: component JSON that it names cannot be loaded.
    """
    if not isroutine(found) and "agentopic.agentchat" not in sys.modules:
        return None  # whoever makes a team, or a TeamService, has imported it
    from agentopic.team_service import TeamService

    if isinstance(found, TeamService):
        return found
    if isroutine(found) or _is_team(found):
        return TeamService(found, name=name)
    return None


def team_of_file(path: Path, name: str | None) -> TeamService:
    """Return the team whose component JSON a file holds.

    Raises:
        ConfigError: the file cannot be read, holds no JSON object, or not that of a team.
    """
    from agentopic.team_service import TeamService

    try:
        model = json.loads(path.read_text())
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{path} holds no team: {exc}") from exc
    if not isinstance(model, dict):
        raise ConfigError(f"{path} holds no team: component JSON is an object with `provider` and `config`")
    try:
        return TeamService(cast("dict[str, Any]", model), name=name)
    except ComponentError as exc:
        raise ConfigError(f"{path}: {exc}") from exc


def _is_team(found: Any) -> bool:
    from agentopic.agentchat.base import Team

    return isinstance(found, Team)
