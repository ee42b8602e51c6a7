"""The whole test bed: one address per technology, own servers where the environment names no other."""

from __future__ import annotations

import json
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

from agentopic.errors import BedUnavailableError
from agentopic.testing.environment import BedEnvironment, read_environment
from agentopic.testing.jars import broker_jars
from agentopic.testing.java import find_java_home
from agentopic.testing.kafka import KafkaServer
from agentopic.testing.postgres import PostgresServer
from agentopic.testing.redis import RedisServer


@dataclass(frozen=True, slots=True, kw_only=True)
class BedAddresses:
    """Where the servers of a running test bed are reached."""

    kafka: str
    """`host:port`."""
    postgres: str
    """DSN of a database in which others may be created."""
    redis: str
    """URL."""


class Bed:
    """Starts each server when its address is first asked for; leaving ends those that were started."""

    def __init__(self, environment: BedEnvironment | None = None) -> None:
        self._environment = environment or read_environment()
        self._servers = ExitStack()
        self._kafka = self._environment.kafka
        self._postgres = self._environment.postgres
        self._redis = self._environment.redis
        self._storing_redis: str | None = None

    @property
    def kafka(self) -> str:
        """`host:port` of a broker. Raises BedUnavailableError when none can be had."""
        if self._kafka is None:
            self._kafka = self._servers.enter_context(KafkaServer(cache=self._environment.cache)).bootstrap
        return self._kafka

    @property
    def postgres(self) -> str:
        """DSN of a PostgreSQL (own: no fsync). Raises BedUnavailableError when none can be had."""
        if self._postgres is None:
            self._postgres = self._servers.enter_context(PostgresServer(fsync=False)).dsn
        return self._postgres

    @property
    def redis(self) -> str:
        """URL of a Redis. Raises BedUnavailableError when none can be had."""
        if self._redis is None:
            self._redis = self._servers.enter_context(RedisServer()).url
        return self._redis

    @property
    def storing_redis(self) -> str:
        """URL of an own Redis that stores what it acknowledges. Raises BedUnavailableError when none can be had."""
        if self._storing_redis is None:
            self._storing_redis = self._servers.enter_context(RedisServer(append_only=True)).url
        return self._storing_redis

    @property
    def owns_redis(self) -> bool:
        """Whether the Redis is this object's own, so that its data is nobody else's."""
        return self._environment.redis is None

    @property
    def ci(self) -> bool:
        """Whether a missing server is a failure instead of a gap."""
        return self._environment.ci

    def up(self) -> BedAddresses:
        """Start what is missing and return all addresses."""
        return BedAddresses(kafka=self.kafka, postgres=self.postgres, redis=self.redis)

    def close(self) -> None:
        """End the servers that this object started."""
        self._servers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def up() -> int:
    """Start the servers, print their addresses as one line of JSON, and run until interrupted."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    with Bed() as bed:
        sys.stdout.write(json.dumps(asdict(bed.up())) + "\n")
        sys.stdout.flush()
        ended.wait()
    return 0


def fetch() -> int:
    """Fill the cache with the broker's jars, so that no test has to wait for them."""
    environment = read_environment()
    if environment.kafka is None:
        broker_jars(environment.cache, find_java_home(environment.java_home))
    return 0


def main(arguments: list[str]) -> int:
    """Run `python -m agentopic.testing.bed up|fetch`; exit code 3 when a server cannot be had."""
    verbs = {"up": up, "fetch": fetch}
    if len(arguments) != 1 or arguments[0] not in verbs:
        sys.stderr.write(f"usage: python -m agentopic.testing.bed {'|'.join(verbs)}\n")
        return 2
    try:
        return verbs[arguments[0]]()
    except BedUnavailableError as error:
        sys.stderr.write(f"{error}\n")
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
