"""What agents remember beyond a conversation, as in `autogen_core.memory`."""

from agentopic.core.memory._list_memory import ListMemory
from agentopic.core.memory._memory import (
    Memory,
    MemoryContent,
    MemoryMimeType,
    MemoryQueryResult,
    UpdateContextResult,
)

__all__ = [
    "ListMemory",
    "Memory",
    "MemoryContent",
    "MemoryMimeType",
    "MemoryQueryResult",
    "UpdateContextResult",
]
