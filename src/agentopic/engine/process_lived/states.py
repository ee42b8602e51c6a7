"""States of process-lived agents: they are in memory, and only they can be read and set there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentopic.core import AgentId
from agentopic.core._kernel_runtime import KernelRuntime
from agentopic.engine.process_lived.residence import Residence
from agentopic.errors import NotAccessibleError


class ResidentStates(KernelRuntime):
    """A runtime whose agents' states are in the journal, but for those that live with this process."""

    _residence: Residence

    async def agent_save_state(self, agent: AgentId) -> Mapping[str, Any]:
        """Return the state of a process-lived agent; refuse others: theirs is in the journal, written by turns.

        Raises:
            NotAccessibleError: the agent is not process-lived here.
            UnknownAgentError: there is no such instance.
        """
        return await super().agent_save_state(self._in_memory(agent))

    async def agent_load_state(self, agent: AgentId, state: Mapping[str, Any]) -> None:
        """Give a process-lived agent a state; errors as for `agent_save_state`."""
        await super().agent_load_state(self._in_memory(agent), state)

    async def save_state(self) -> Mapping[str, Any]:
        """Return the states of the process-lived agents; all others' are stored by every committed turn."""
        mine = {each: agent for each, agent in self._kernel.instances.items() if each.type in self._residence.members}
        return {str(each): dict(await agent.save_state()) for each, agent in mine.items()}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Give process-lived agents the states that `save_state` returned; all others find theirs in the journal.

        Raises:
            NotAccessibleError: there is something to load for another agent; nothing has been loaded.
        """
        agents = {self._in_memory(AgentId.from_str(text)): each for text, each in state.items()}
        for agent, each in agents.items():
            await super().agent_load_state(agent, each)

    def _in_memory(self, agent: AgentId) -> AgentId:
        resident = self._residence.members.here(agent)
        if resident is None:
            raise NotAccessibleError(_STATE_REMEDY.format(agent))
        return resident


_STATE_REMEDY = "the state of {} is kept in the journal and written by its turns: change it by sending a message"
