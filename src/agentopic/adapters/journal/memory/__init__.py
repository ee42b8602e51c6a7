"""The journal in memory: for tests and simulation; it lives as long as its store object."""

from agentopic.adapters.journal.memory.journal import MemoryJournal
from agentopic.adapters.journal.memory.store import MemoryStore

__all__ = ["MemoryJournal", "MemoryStore"]
