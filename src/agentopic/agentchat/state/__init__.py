"""What agents and teams save, as in `autogen_agentchat.state`."""

from agentopic.agentchat.state._agent_states import AssistantAgentState, BaseState, SocietyOfMindAgentState
from agentopic.agentchat.state._team_states import (
    BaseGroupChatManagerState,
    ChatAgentContainerState,
    MagenticOneOrchestratorState,
    RoundRobinManagerState,
    SelectorManagerState,
    SwarmManagerState,
    TeamState,
)

__all__ = [
    "AssistantAgentState",
    "BaseGroupChatManagerState",
    "BaseState",
    "ChatAgentContainerState",
    "MagenticOneOrchestratorState",
    "RoundRobinManagerState",
    "SelectorManagerState",
    "SocietyOfMindAgentState",
    "SwarmManagerState",
    "TeamState",
]
