"""The road of a run: where events travel, and how those outside get at them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentopic.demo.folder import RunFolder
from agentopic.demo.options import DemoOptions
from agentopic.envelope.kafka_topics import topic_events
from agentopic.errors import BedUnavailableError, UnreachableError
from agentopic.settings import Settings, masked
from agentopic.testing import KafkaServer, PostgresServer, fresh_database

WATCHED: Final = ("part", "finding", "report")
"""The topic types the subscriber listens to."""

_DATABASE = "mesh.db"
_LEASE_SECONDS = 3
_OUTSIDE = Path(__file__).parent / "outside"
_AGENTOPIC = ("-m", "agentopic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A transport with a journal, in a namespace of this run alone."""

    transport: str
    journal: str
    namespace: str
    outlives_the_run: bool = True
    """Whether events can be read when the run is over."""

    @property
    def settings(self) -> Mapping[str, str]:
        """What services on this road are told."""
        return {
            "AGENTOPIC_TRANSPORT": self.transport,
            "AGENTOPIC_JOURNAL": self.journal,
            "AGENTOPIC_NAMESPACE": self.namespace,
            "AGENTOPIC_LEASE_SECONDS": str(_LEASE_SECONDS),
            "AGENTOPIC_LOG_FORMAT": "json",
            "AGENTOPIC_RUNTIME_TYPE": "distributed",
        }

    @property
    def described(self) -> str:
        """Transport and journal for people, without secrets."""
        journal = "" if self.journal == self.transport else f", journal {masked(self.journal)}"
        return f"{masked(self.transport)}{journal}"

    @property
    def _bootstrap(self) -> str | None:
        return self.transport.removeprefix("kafka://") if self.transport.startswith("kafka://") else None

    def publisher(self, tasks: Path, log: Path) -> Sequence[str]:
        """Return the command line of the outside publisher."""
        program = (str(_OUTSIDE / "publisher.py"), str(tasks), str(log))
        if self._bootstrap:
            return [*program, "kafka", self._bootstrap, topic_events(self.namespace, "task")]
        verb = (*_AGENTOPIC, "publish", "task", "--type", "demo.Task.v1", "--source", "/newsroom/desk", "--jsonl")
        return [*program, "command", sys.executable, *verb]

    def subscriber(self, folder: Path) -> Sequence[str]:
        """Return the command line of the outside subscriber."""
        program = (str(_OUTSIDE / "subscriber.py"), str(folder))
        if self._bootstrap is None:
            return [*program, "lines"]
        topics = [topic_events(self.namespace, each) for each in WATCHED]
        return [*program, "kafka", self._bootstrap, f"{self.namespace}-newsroom", *topics]

    def subscriber_source(self) -> Sequence[str] | None:
        """Return the command line of what writes into the subscriber; None when it reads for itself."""
        if self._bootstrap:
            return None
        return [*_AGENTOPIC, "tail", *WATCHED, "--from-beginning", "--follow", "--wait", "60", "--output", "jsonl"]

    def look(self, shown: Path) -> str:
        """Return the command that reads the reports once the run is over; `shown` is the run's directory."""
        if not self.outlives_the_run:
            return f"cat {shown / 'reports.jsonl'}"
        transport = masked(self.transport) if self._bootstrap else f"sqlite:///{shown / _DATABASE}"
        return f"agentopic tail report --from-beginning --transport {transport} --namespace {self.namespace}"


@asynccontextmanager
async def road_for(options: DemoOptions, settings: Settings, folder: RunFolder) -> AsyncGenerator[Road]:
    """Make the road that is asked for; servers that are started for it end with the block.

    Raises:
        UnreachableError: this machine lacks what the servers are made of.
    """
    if options.transport == "sqlite":
        database = f"sqlite:///{folder.path / _DATABASE}"
        yield Road(transport=database, journal=database, namespace=folder.name)
        return
    async with AsyncExitStack() as servers:
        try:
            yield await _kafka_road(settings, folder, servers)
        except BedUnavailableError as exc:
            raise UnreachableError(str(exc)) from exc


async def _kafka_road(settings: Settings, folder: RunFolder, servers: AsyncExitStack) -> Road:
    given = settings.transport if settings.transport.startswith("kafka://") else None
    journal = settings.journal if given else None
    if journal is None:
        postgres = await servers.enter_async_context(PostgresServer(fsync=False))
        journal = await servers.enter_async_context(fresh_database(postgres.dsn, folder.name))
    if given is None:
        broker = await servers.enter_async_context(KafkaServer())
        given = f"kafka://{broker.bootstrap}"
        return Road(transport=given, journal=journal, namespace=folder.name, outlives_the_run=False)
    return Road(transport=given, journal=journal, namespace=folder.name)
