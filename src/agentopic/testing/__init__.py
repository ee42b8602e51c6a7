"""The public test kit: real servers on loopback without containers."""

from __future__ import annotations

from agentopic.testing.kafka import KafkaServer
from agentopic.testing.postgres import PostgresServer, fresh_database
from agentopic.testing.redis import RedisServer

__all__ = ["KafkaServer", "PostgresServer", "RedisServer", "fresh_database"]
