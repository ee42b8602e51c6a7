"""`at_rest`: what a team's saved state looks like from outside: AutoGen's, as long as no run is in its middle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentopic.agentchat.teams._group_chat._progress import ManagerProgress


def at_rest(states: Mapping[str, Mapping[str, Any]], manager: str) -> dict[str, dict[str, Any]]:
    """The states without the numbers of runs, and without `progress` where no run was cut short."""
    left_out = {"run"} if ManagerProgress.of(states[manager]).is_cut_short else {"run", "progress"}
    return {name: {key: value for key, value in state.items() if key not in left_out} for name, state in states.items()}
