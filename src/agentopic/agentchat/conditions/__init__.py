"""When a conversation ends, as in `autogen_agentchat.conditions`."""

from agentopic.agentchat.conditions._counted import MaxMessageTermination, TokenUsageTermination
from agentopic.agentchat.conditions._matched import (
    FunctionCallTermination,
    HandoffTermination,
    SourceMatchTermination,
    StopMessageTermination,
    TextMentionTermination,
    TextMessageTermination,
)
from agentopic.agentchat.conditions._outside import (
    ExternalTermination,
    FunctionalTermination,
    TimeoutTermination,
)

__all__ = [
    "ExternalTermination",
    "FunctionCallTermination",
    "FunctionalTermination",
    "HandoffTermination",
    "MaxMessageTermination",
    "SourceMatchTermination",
    "StopMessageTermination",
    "TextMentionTermination",
    "TextMessageTermination",
    "TimeoutTermination",
    "TokenUsageTermination",
]
