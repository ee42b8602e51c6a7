"""Stored state: snapshots with the version of their form, brought up to the agent's code when they are loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agentopic.core import Agent, BaseAgent, EventSourcedAgent
from agentopic.errors import JournalError, StateVersionError
from agentopic.ports.journal import AgentState

_MARK = b"v"
"""Before a form other than 1: `v2:{...}`. Without it a snapshot is of form 1, as those of earlier releases are."""


def write_snapshot(agent: Agent, state: Mapping[str, Any]) -> bytes:
    """Return a state as the journal keeps it; equal states are equal bytes."""
    text = json.dumps(state, separators=(",", ":"), sort_keys=True).encode()
    form = _form(agent)
    return text if form == 1 else b"%b%d:%b" % (_MARK, form, text)


async def restore(agent: Agent, stored: AgentState) -> None:
    """Give a fresh agent its state: the snapshot, up-cast to the form its class has, and the events after it.

    Raises:
        StateVersionError: newer code wrote it, or the class does not read a form this old.
        PayloadError: it does not fit the class of the state or of an event.
    """
    if stored.snapshot is not None:
        await agent.load_state(_raised(agent, *_read(stored.snapshot)))
    if not stored.events:
        return
    if not isinstance(agent, EventSourcedAgent):
        raise StateVersionError(f"{agent.id} has stored state events, and its class is no EventSourcedAgent any more")
    agent.replay(stored.events)


def _read(snapshot: bytes) -> tuple[int, Mapping[str, Any]]:
    if not snapshot.startswith(_MARK):
        return 1, json.loads(snapshot)
    form, found, text = snapshot[len(_MARK) :].partition(b":")
    if not found or not form.isdigit():
        raise JournalError("a snapshot in the journal is not one of this program's")
    return int(form), json.loads(text)


def _raised(agent: Agent, form: int, state: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = _form(agent)
    if form > wanted:
        raise StateVersionError(
            f"the state of {agent.id} has form {form}, its code knows {wanted}: newer code has written it"
        )
    for version in range(form, wanted):
        if not isinstance(agent, BaseAgent):
            raise StateVersionError(f"the state of {agent.id} has form {form} and its class has no upcast_state")
        state = agent.upcast_state(version, state)
    return state


def _form(agent: Agent) -> int:
    return getattr(agent, "state_version", 1)
