"""Teams as durable services: manager and participants are agent types, a conversation is their key."""

from agentopic.agentchat.service._addresses import ServiceAddresses
from agentopic.agentchat.service._blueprint import TeamBlueprint, TeamSource
from agentopic.agentchat.service._payloads import PAYLOADS, RunEnd, TeamOutput
from agentopic.agentchat.service._remote_team import RemoteTeam

__all__ = ["PAYLOADS", "RemoteTeam", "RunEnd", "ServiceAddresses", "TeamBlueprint", "TeamOutput", "TeamSource"]
