"""The only chooser of adapters: URLs and settings become a mesh, options and a runtime."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from ssl import create_default_context
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit
from weakref import WeakValueDictionary

from agentopic.concealment import conceal, masked, passwords
from agentopic.errors import ConfigError, MissingExtraError
from agentopic.settings import Settings

if TYPE_CHECKING:
    from agentopic.adapters.blobs.memory import MemoryBlobs
    from agentopic.adapters.journal.memory import MemoryStore
    from agentopic.adapters.transport.kafka_options import KafkaOptions
    from agentopic.adapters.transport.memory_log import MemoryLog
    from agentopic.core import SingleThreadedAgentRuntime
    from agentopic.engine.mesh import Mesh
    from agentopic.engine.options import EngineOptions
    from agentopic.engine.runtime import EngineRuntime
    from agentopic.ports.admin import TopicAdmin
    from agentopic.ports.blobs import Blobs
    from agentopic.ports.journal import Journal
    from agentopic.ports.rate_limits import RateLimits
    from agentopic.ports.transport import Transport

Made = TypeVar("Made")

RECORD_BYTES = 16 * 1024 * 1024
"""What the client lets through: as much as a dead-letter topic takes; each other topic has the broker's limit."""


class Wires(NamedTuple):
    """A transport and the administration of the same broker."""

    transport: Transport
    admin: TopicAdmin


# Runtimes of one process that name the same `memory://name` share it for as long as one of them lives.
_shared_logs: WeakValueDictionary[str, MemoryLog] = WeakValueDictionary()
_shared_stores: WeakValueDictionary[str, MemoryStore] = WeakValueDictionary()
_shared_blobs: WeakValueDictionary[str, MemoryBlobs] = WeakValueDictionary()


def mesh(settings: Settings, *, journal: bool = True) -> Mesh:
    """Build the ports the settings name; nothing is connected yet. Without a journal it serves clients only.

    Raises:
        ConfigError: a URL cannot be understood, or its scheme is unknown; it names those that are known.
        MissingExtraError: the chosen adapter's client library is not installed.
    """
    from agentopic.adapters.clock import SystemClock
    from agentopic.engine.mesh import Mesh

    wires = transport_of(settings.transport)
    return Mesh(
        transport=wires.transport,
        admin=wires.admin,
        clock=SystemClock(),
        journal=_journal(settings) if journal else None,
        blobs=_blobs(settings),
        rate_limits=rate_limits_of(settings) if journal else None,
    )


def engine_options(settings: Settings) -> EngineOptions:
    """Return how the engine shall run."""
    from agentopic.engine.options import EngineOptions, RetryPolicy

    return EngineOptions(
        namespace=settings.namespace,
        lease_seconds=settings.lease_seconds,
        max_concurrent_agents=settings.max_concurrent_agents,
        message_queue_size=settings.message_queue_size,
        message_buffer_bytes=settings.message_buffer_bytes,
        max_event_bytes=settings.max_event_bytes,
        topics=settings.topics,
        partitions=settings.partitions,
        topic_replication=settings.topic_replication,
        drain_seconds=settings.drain_seconds,
        hop_limit=settings.hop_limit,
        start_from=settings.start_from,
        model_retry=RetryPolicy(max_failures=settings.model_retries + 1, initial_seconds=0.5, max_seconds=20.0),
        request_timeout_seconds=settings.request_timeout_seconds,
        request_resend_seconds=settings.request_resend_seconds,
        request_resends=settings.request_resends,
        dedup_seconds=settings.dedup_seconds,
        **metering_options(settings),
        idle_seconds=settings.idle_seconds,
        memory_limit_bytes=settings.memory_limit_bytes,
        blob_bytes=settings.blob_bytes,
        blob_base_url=settings.blobs_url,
    )


def metering_options(settings: Settings) -> dict[str, Any]:
    """Return those options that say what model calls may cost and how often they are made."""
    from agentopic.engine.budget import AgentBudgets, Budget
    from agentopic.engine.circuit import CircuitPolicy
    from agentopic.ports.rate_limits import RateLimit

    run, day = (
        Budget(
            usd=getattr(settings, f"budget_{span}_usd"),
            tokens=getattr(settings, f"budget_{span}_tokens"),
            calls=getattr(settings, f"budget_{span}_calls"),
        )
        for span in ("run", "day")
    )
    return {
        "budgets": AgentBudgets(run=run, day=day),
        "prices": settings.prices,
        "circuit": CircuitPolicy(failures=settings.circuit_failures, cool_down_seconds=settings.circuit_seconds),
        "rate_limits": {
            name: RateLimit(requests=each.requests, tokens=each.tokens) for name, each in settings.rate_limits.items()
        },
        "previews": settings.previews,
    }


def rate_limits_of(settings: Settings) -> RateLimits:
    """Return what counts model calls: this process for itself, or a Redis for all processes.

    Raises:
        ConfigError: the store's URL has no known scheme.
        MissingExtraError: the client library is not installed.
    """
    url = settings.rate_limit_store
    if url is None:
        from agentopic.adapters.rate_limit.local import LocalRateLimits

        return LocalRateLimits()
    _require_redis("AGENTOPIC_RATE_LIMIT_STORE", url)
    with _extra("a redis:// store", "redis", ("redis",)):
        from agentopic.adapters.rate_limit.redis import RedisRateLimits
    return RedisRateLimits(url, namespace=settings.namespace)


def _journal(settings: Settings) -> Journal:
    journal, cache = journal_of(settings.journal_url()), settings.snapshot_cache
    if cache is None:
        return journal
    _require_redis("AGENTOPIC_SNAPSHOT_CACHE", cache)
    with _extra("a redis:// snapshot cache", "redis", ("redis",)):
        from agentopic.adapters.journal.cached import cached
        from agentopic.adapters.journal.redis.snapshots import RedisSnapshots
    return cached(journal, RedisSnapshots(cache, namespace=settings.namespace))


def _require_redis(setting: str, url: str) -> None:
    conceal(*passwords(url))
    if url.partition("://")[0].lower() not in {"redis", "rediss"}:
        raise ConfigError(f"{setting}={masked(url)!r} has no known scheme: use redis:// or rediss://")


def runtime(settings: Settings) -> SingleThreadedAgentRuntime | EngineRuntime:
    """Return the runtime the settings ask for: in this process, or on their transport and journal.

    Raises:
        ConfigError: as `mesh`.
    """
    if settings.runtime_type == "local":
        from opentelemetry.trace import NoOpTracerProvider

        from agentopic.core import SingleThreadedAgentRuntime

        # None: the provider that the program has set up globally.
        silence = NoOpTracerProvider() if settings.disable_runtime_tracing else None
        return SingleThreadedAgentRuntime(tracer_provider=silence)
    from agentopic.engine.runtime import EngineRuntime

    return EngineRuntime(mesh(settings), engine_options(settings))


def transport_of(url: str) -> Wires:
    """Return transport and admin of a URL.

    Raises:
        ConfigError: the URL cannot be understood.
        MissingExtraError: the client library is not installed.
    """
    return _chosen("AGENTOPIC_TRANSPORT", url, _TRANSPORTS)(url)


def journal_of(url: str) -> Journal:
    """Return the journal of a URL; raises as `transport_of`."""
    return _chosen("AGENTOPIC_JOURNAL", url, _JOURNALS)(url)


def blobs_of(url: str) -> Blobs:
    """Return the blob store of a URL; raises as `transport_of`."""
    return _chosen("AGENTOPIC_BLOBS", url, _BLOBS)(url)


def _blobs(settings: Settings) -> Blobs | None:
    if settings.blobs is not None:
        return blobs_of(settings.blobs)
    # Beside the journal: a client of a Kafka mesh may have none, and not every journal has room for blobs.
    beside = settings.journal or settings.transport
    return blobs_of(beside) if beside.partition("://")[0].lower() in _BLOBS else None


def _chosen(setting: str, url: str, makers: Mapping[str, Callable[[str], Made]]) -> Callable[[str], Made]:
    conceal(*passwords(url))
    scheme, found, _ = url.partition("://")
    maker = makers.get(scheme.lower()) if found else None
    if maker is None:
        known = ", ".join(f"{each}://" for each in makers)
        raise ConfigError(f"{setting}={masked(url)!r} has no known scheme: use one of {known}")
    return maker


@contextmanager
def _extra(feature: str, extra: str, modules: tuple[str, ...]) -> Generator[None]:
    """Say which extra to install when the import of a client library fails inside the block."""
    try:
        yield
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] in modules:
            raise MissingExtraError(feature, extra) from exc
        raise


def _kafka_transport(url: str) -> Wires:
    with _extra("a kafka:// transport", "kafka", ("aiokafka", "cramjam")):
        from agentopic.adapters.transport.kafka import KafkaTransport
        from agentopic.adapters.transport.kafka_admin import KafkaAdmin
    options = kafka_options(url)
    return Wires(KafkaTransport(options), KafkaAdmin(options))


def kafka_options(url: str) -> KafkaOptions:
    """Return how a cluster is reached: `kafka://[user:password@]host:port,host:port[?tls=true&mechanism=…]`.

    Raises:
        ConfigError: the URL names no broker or an option that is not known.
    """
    from agentopic.adapters.transport.kafka_options import KafkaOptions

    address, _, query = url.partition("://")[2].partition("?")
    login, _, brokers = address.rstrip("/").rpartition("@")
    user, _, password = login.partition(":")
    asked = dict(parse_qsl(query))
    tls, mechanism = asked.pop("tls", "false"), _MECHANISMS.get(asked.pop("mechanism", "PLAIN").upper())
    if asked or tls not in {"true", "false"} or mechanism is None:
        raise ConfigError(
            f"AGENTOPIC_TRANSPORT={masked(url)!r} has options that are not known: tls=true and "
            "mechanism=PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 are"
        )
    return KafkaOptions(
        bootstrap=_brokers(url, brokers),
        max_record_bytes=RECORD_BYTES,
        security_protocol=_PROTOCOLS[tls == "true", bool(login)],
        ssl_context=create_default_context() if tls == "true" else None,
        sasl_mechanism=mechanism,
        sasl_username=unquote(user) or None,
        sasl_password=unquote(password) or None,
    )


_MECHANISMS: dict[str, Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]] = {
    "PLAIN": "PLAIN",
    "SCRAM-SHA-256": "SCRAM-SHA-256",
    "SCRAM-SHA-512": "SCRAM-SHA-512",
}
_PROTOCOLS: dict[tuple[bool, bool], Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]] = {
    (False, False): "PLAINTEXT",
    (True, False): "SSL",
    (False, True): "SASL_PLAINTEXT",
    (True, True): "SASL_SSL",
}


def _brokers(url: str, text: str) -> str:
    brokers = [each.strip() for each in text.split(",")]
    for broker in brokers:
        host, _, port = broker.rpartition(":")
        if not host or not port.isdigit() or "/" in broker:
            raise ConfigError(f"AGENTOPIC_TRANSPORT={masked(url)!r} names no broker: write kafka://host:port,host:port")
    return ",".join(brokers)


def _sqlite_transport(url: str) -> Wires:
    from agentopic.adapters.transport.sqlite import SqliteAdmin, SqliteTransport, SqliteTransportOptions

    path = sqlite_path("AGENTOPIC_TRANSPORT", url)
    options = SqliteTransportOptions(path=path, max_record_bytes=RECORD_BYTES)
    return Wires(SqliteTransport(options), SqliteAdmin(options))


def sqlite_path(setting: str, url: str) -> Path:
    """Return the file of a URL: `sqlite:///a` is relative to the working directory, `sqlite:////a` absolute.

    Raises:
        ConfigError: it names no file; the message starts with `setting`.
    """
    _, found, path = url.partition(":///")
    if not found or not path or path.endswith("/"):
        raise ConfigError(
            f"{setting}={url!r} names no file: write sqlite:///folder/file.db (relative to the working "
            "directory) or sqlite:////folder/file.db (absolute)"
        )
    return Path(path)


def _memory_transport(url: str) -> Wires:
    from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
    from agentopic.adapters.transport.memory_log import MemoryLog

    log = _shared(_shared_logs, url, MemoryLog)
    return Wires(MemoryTransport(log, max_record_bytes=RECORD_BYTES), MemoryAdmin(log))


def _memory_journal(url: str) -> Journal:
    from agentopic.adapters.journal.memory import MemoryJournal, MemoryStore

    return MemoryJournal(_shared(_shared_stores, url, MemoryStore))


def _shared(known: WeakValueDictionary[str, Made], url: str, make: Callable[[], Made]) -> Made:
    name = url.partition("://")[2]
    if not name:
        return make()
    found = known.get(name)
    if found is None:
        found = known[name] = make()
    return found


def _sqlite_journal(url: str) -> Journal:
    from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions

    return SqliteJournal(SqliteOptions(path=sqlite_path("AGENTOPIC_JOURNAL", url)))


def _postgres_journal(url: str) -> Journal:
    with _extra("a postgresql:// journal", "postgres", ("asyncpg",)):
        from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
    return PostgresJournal(PostgresOptions(dsn=url))


def _redis_journal(url: str) -> Journal:
    with _extra("a redis:// journal", "redis", ("redis",)):
        from agentopic.adapters.journal.redis import RedisJournal, RedisOptions
    return RedisJournal(RedisOptions(url=url))


def _memory_blobs(url: str) -> Blobs:
    from agentopic.adapters.blobs.memory import MemoryBlobs

    return _shared(_shared_blobs, url, MemoryBlobs)


def _directory_blobs(url: str) -> Blobs:
    from agentopic.adapters.blobs.directory import DirectoryBlobs

    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"} or not parts.path.strip("/"):
        raise ConfigError(f"AGENTOPIC_BLOBS={url!r} names no directory: write file:///absolute/directory")
    return DirectoryBlobs(Path(unquote(parts.path)))


def _sqlite_blobs(url: str) -> Blobs:
    from agentopic.adapters.blobs.sqlite import SqliteBlobs

    return SqliteBlobs(sqlite_path("AGENTOPIC_BLOBS", url))


def _postgres_blobs(url: str) -> Blobs:
    with _extra("a postgresql:// blob store", "postgres", ("asyncpg",)):
        from agentopic.adapters.blobs.postgres import PostgresBlobs
        from agentopic.adapters.journal.postgres import PostgresOptions
    return PostgresBlobs(PostgresOptions(dsn=url))


_TRANSPORTS: dict[str, Callable[[str], Wires]] = {
    "sqlite": _sqlite_transport,
    "kafka": _kafka_transport,
    "memory": _memory_transport,
}
_JOURNALS: dict[str, Callable[[str], Journal]] = {
    "sqlite": _sqlite_journal,
    "postgresql": _postgres_journal,
    "postgres": _postgres_journal,
    **dict.fromkeys(("redis", "rediss"), _redis_journal),
    "memory": _memory_journal,
}
_BLOBS: dict[str, Callable[[str], Blobs]] = {
    "file": _directory_blobs,
    "sqlite": _sqlite_blobs,
    "postgresql": _postgres_blobs,
    "postgres": _postgres_blobs,
    "memory": _memory_blobs,
}
