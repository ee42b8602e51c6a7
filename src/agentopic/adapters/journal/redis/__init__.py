"""The journal in Redis: one script per call, on a primary that keeps every acknowledged write."""

from agentopic.adapters.journal.redis.journal import RedisJournal
from agentopic.adapters.journal.redis.options import RedisOptions

__all__ = ["RedisJournal", "RedisOptions"]
