from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import pytest

from agentopic import wiring
from agentopic.core import SingleThreadedAgentRuntime
from agentopic.engine.runtime import EngineRuntime
from agentopic.errors import ConfigError, MissingExtraError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord
from agentopic.settings import Settings


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def settings(**values: Any) -> Settings:
    return Settings(**{"transport": "memory://", "journal": "memory://", **values})


@pytest.mark.parametrize("url", ["amqp://host", "sqlite", "", "kafka:host:9092"])
def test_an_unknown_scheme_is_refused_with_the_known_ones(url: str):
    with pytest.raises(ConfigError, match="sqlite://, kafka://, memory://"):
        wiring.transport_of(url)


def test_an_unknown_journal_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"AGENTOPIC_JOURNAL.*sqlite://, postgresql://, .*redis://, .*memory://"):
        wiring.journal_of("mysql://host/db")


@pytest.mark.parametrize("url", ["kafka://", "kafka://host", "kafka://host:x", "kafka://a:1,b", "kafka://a:1/topic"])
def test_a_kafka_url_without_ports_is_refused(url: str):
    with pytest.raises(ConfigError, match="kafka://host:port,host:port"):
        wiring.transport_of(url)


@pytest.mark.parametrize("url", ["kafka://a:1?ssl=yes", "kafka://a:1?mechanism=GSSAPI", "kafka://a:1?tls=maybe"])
def test_an_unknown_kafka_option_is_refused(url: str):
    with pytest.raises(ConfigError, match="options that are not known"):
        wiring.transport_of(url)


def test_a_kafka_url_carries_login_and_encryption():
    options = wiring.kafka_options("kafka://me:p%40ss@a:1,b:2?tls=true&mechanism=scram-sha-256")

    assert options.bootstrap == "a:1,b:2"
    assert options.security_protocol == "SASL_SSL"
    assert options.ssl_context is not None
    assert (options.sasl_mechanism, options.sasl_username, options.sasl_password) == ("SCRAM-SHA-256", "me", "p@ss")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite://file.db", "sqlite:///", "sqlite:///folder/"])
def test_a_sqlite_url_without_a_file_is_refused(url: str):
    with pytest.raises(ConfigError, match="names no file"):
        wiring.transport_of(url)


@pytest.mark.parametrize(
    ("url", "path"), [("sqlite:///a/b.db", Path("a/b.db")), ("sqlite:////a/b.db", Path("/a/b.db"))]
)
def test_a_sqlite_url_is_relative_or_absolute(url: str, path: Path):
    assert wiring.sqlite_path("AGENTOPIC_TRANSPORT", url) == path


@pytest.mark.parametrize(
    ("module", "build", "extra"),
    [
        ("aiokafka", lambda: wiring.transport_of("kafka://localhost:9092"), "kafka"),
        ("asyncpg", lambda: wiring.journal_of("postgresql://localhost/db"), "postgres"),
        ("redis", lambda: wiring.journal_of("redis://localhost/0"), "redis"),
        ("redis", lambda: wiring.mesh(Settings(transport="memory://", snapshot_cache="redis://localhost/0")), "redis"),
    ],
)
def test_a_missing_extra_is_named_with_its_install_line(
    monkeypatch: pytest.MonkeyPatch, module: str, build: Any, extra: str
):
    adapters = ("transport.kafka", "journal.postgres", "journal.redis")
    for name in list(sys.modules):
        if name.startswith((module, *(f"agentopic.adapters.{adapter}" for adapter in adapters))):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Absent(module), *sys.meta_path])

    with pytest.raises(MissingExtraError, match=rf"pip install 'agentopic\[{extra}\]'"):
        build()


class _Absent:
    """Makes a package look as if it were not installed."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, *_: Any) -> None:
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_an_unknown_snapshot_cache_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"AGENTOPIC_SNAPSHOT_CACHE.*redis:// or rediss://"):
        wiring.mesh(Settings(transport="memory://", snapshot_cache="memcached://user:hunter2@host"))


def test_a_client_mesh_has_no_journal_and_needs_none():
    mesh = wiring.mesh(Settings(transport="kafka://localhost:9092"), journal=False)

    assert mesh.journal is None


async def test_one_name_in_memory_is_one_log_while_somebody_uses_it():
    first, second = wiring.transport_of("memory://mesh"), wiring.transport_of("memory://mesh")
    await first.admin.create([TopicSpec(name="t", partitions=1)])

    assert await second.admin.topics() == {"t": 1}

    del first, second
    gc.collect()
    assert await wiring.transport_of("memory://mesh").admin.topics() == {}


async def test_without_a_name_memory_is_private():
    first, second = wiring.transport_of("memory://"), wiring.transport_of("memory://")

    await first.admin.create([TopicSpec(name="t", partitions=1)])

    assert await second.admin.topics() == {}


async def test_a_sqlite_url_makes_its_folder_and_keeps_records(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/new/mesh.db"
    first = wiring.transport_of(url)
    await first.transport.start()
    await first.admin.create([TopicSpec(name="t", partitions=1)])
    await first.transport.send([OutgoingRecord(topic="t", key=b"k", value=b"v")])
    await first.transport.aclose()
    await first.admin.aclose()

    second = wiring.transport_of(url)
    await second.transport.start()
    topics = await second.admin.topics()
    await second.transport.aclose()
    await second.admin.aclose()

    assert topics == {"t": 1}


def test_engine_options_follow_the_settings():
    options = wiring.engine_options(
        settings(namespace="shop", partitions=3, model_retries=5, request_timeout_seconds="none", start_from="earliest")
    )

    assert options.namespace == "shop"
    assert options.partitions == 3
    assert options.model_retry.max_failures == 6
    assert options.request_timeout_seconds is None
    assert options.start_from == "earliest"


def test_the_runtime_type_chooses_the_runtime():
    assert isinstance(wiring.runtime(settings(runtime_type="local")), SingleThreadedAgentRuntime)
    assert isinstance(wiring.runtime(settings(runtime_type="distributed")), EngineRuntime)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"transport": "sqlite:///a.db"}, "SqliteBlobs"),
        ({"transport": "memory://"}, "MemoryBlobs"),
        ({"transport": "kafka://h:1", "journal": "postgresql://h/d"}, "PostgresBlobs"),
        ({"transport": "kafka://h:1", "journal": "sqlite:///a.db", "blobs": "file:///var/blobs"}, "DirectoryBlobs"),
        ({"transport": "kafka://h:1"}, "NoneType"),
    ],
)
def test_large_payloads_are_kept_beside_the_journal_or_where_the_setting_says(given: dict[str, str], made: str):
    built = wiring.mesh(Settings(**given), journal=False)

    assert type(built.blobs).__name__ == made


@pytest.mark.parametrize("url", ["s3://bucket", "file://elsewhere/blobs", "file:///", "directory"])
def test_a_blob_store_that_cannot_be_understood_is_refused(url: str):
    with pytest.raises(ConfigError, match="AGENTOPIC_BLOBS"):
        wiring.blobs_of(url)


def test_runtimes_that_name_the_same_memory_share_their_large_payloads():
    first, second = (wiring.blobs_of("memory://shared") for _ in range(2))

    assert first is second
    assert wiring.blobs_of("memory://other") is not first
