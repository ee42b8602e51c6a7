"""A real Apache Kafka 4.1 for tests: broker and controller in one process (KRaft), no containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from agentopic.errors import BedError
from agentopic.testing.environment import read_environment
from agentopic.testing.jars import KAFKA_VERSION, broker_jars
from agentopic.testing.java import find_java_home, java_program
from agentopic.testing.program import run_program
from agentopic.testing.server import LocalServer, free_port

_LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""
_STARTED = "Kafka Server started"
_CLUSTER_ID = "agentopicTestBed000000"


class KafkaServer(LocalServer):
    """One broker on loopback that creates no topic by itself and lets groups form at once.

    `settings` are added to `server.properties` and win over the ones here; `cache` and `java_home` come from
    the environment unless given.
    """

    name: ClassVar[str] = "Kafka"

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        heap_megabytes: int = 512,
        version: str = KAFKA_VERSION,
        cache: Path | None = None,
        java_home: Path | None = None,
        start_timeout_seconds: float = 90.0,
    ) -> None:
        super().__init__(start_timeout_seconds=start_timeout_seconds)
        surroundings = read_environment()
        self._settings = dict(settings or {})
        self._heap_megabytes = heap_megabytes
        self._version = version
        self._cache = cache or surroundings.cache
        self._java_home = java_home or surroundings.java_home
        self._java: Sequence[str] = ()

    @property
    def bootstrap(self) -> str:
        """The broker's address, `127.0.0.1:<port>`."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Get the jars, write the configuration, format the storage."""
        home = find_java_home(self._java_home)
        jars = broker_jars(self._cache, home, self._version)
        logging = self.directory / "log4j2.properties"
        logging.write_text(_LOGGING)
        self._java = [
            java_program(home),
            *self._flags(),
            f"-Dlog4j2.configurationFile={logging}",
            "-cp",
            f"{jars}/*",
        ]
        properties = {**self._properties(free_port()), **self._settings}
        self._properties_file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        self._format()

    def command(self) -> Sequence[str]:
        """Return the command line of the broker."""
        return [*self._java, "kafka.Kafka", str(self._properties_file)]

    def is_ready(self) -> bool:
        """Whether the broker has said that it serves, which it says after the controller has let it in."""
        return _STARTED in self.log

    @property
    def _properties_file(self) -> Path:
        return self.directory / "server.properties"

    def _flags(self) -> list[str]:
        # On few cores the first compiler alone and the plain collector start in half the time.
        small = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
        return ["-Xms128m", f"-Xmx{self._heap_megabytes}m", *small]

    def _properties(self, controller_port: int) -> dict[str, str]:
        single = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
            "log.dirs": str(self.directory / "data"),
            "auto.create.topics.enable": "false",
            "num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            **{f"{topic}.replication.factor": "1" for topic in single},
            **{f"{topic}.min.isr": "1" for topic in single},
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.num.partitions": "1",
            # A killed broker is let in again only after its old session has ended.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            "log.cleaner.dedupe.buffer.size": "8388608",
        }

    def _format(self) -> None:
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", _CLUSTER_ID]
        command = [*self._java, *tool, "-c", str(self._properties_file)]
        ended = run_program(command)
        if ended.returncode != 0:
            raise BedError(f"formatting the broker's storage ended with code {ended.returncode}:\n{ended.stderr}")
