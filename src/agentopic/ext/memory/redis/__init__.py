"""A memory in Redis, shared by all processes, with the config of `autogen_ext.memory.redis`."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("redis") is None:
    raise MissingExtraError("agentopic.ext.memory.redis", "redis")

from agentopic.ext.memory.redis._redis_memory import RedisMemory
from agentopic.ext.memory.redis._redis_memory_config import RedisMemoryConfig

__all__ = ["RedisMemory", "RedisMemoryConfig"]
