"""Transports by URL: Kafka, SQLite, memory."""

from __future__ import annotations

from collections.abc import Callable
from ssl import create_default_context
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote
from weakref import WeakValueDictionary

from agentopic.concealment import masked
from agentopic.errors import ConfigError
from agentopic.wiring.choice import chosen, extra, shared, sqlite_path

if TYPE_CHECKING:
    from agentopic.adapters.transport.kafka_options import KafkaOptions
    from agentopic.adapters.transport.memory_log import MemoryLog
    from agentopic.ports.admin import TopicAdmin
    from agentopic.ports.transport import Transport

RECORD_BYTES = 16 * 1024 * 1024
"""What the client lets through: as much as a dead-letter topic takes; each other topic has the broker's limit."""


class Wires(NamedTuple):
    """A transport and the administration of the same broker."""

    transport: Transport
    admin: TopicAdmin


# Runtimes of one process that name the same `memory://name` share it for as long as one of them lives.
_shared_logs: WeakValueDictionary[str, MemoryLog] = WeakValueDictionary()


def transport_of(url: str) -> Wires:
    """Return transport and admin of a URL.

    Raises:
        ConfigError: the URL cannot be understood.
        MissingExtraError: the client library is not installed.
    """
    return chosen("AGENTOPIC_TRANSPORT", url, _TRANSPORTS)(url)


def _kafka_transport(url: str) -> Wires:
    with extra("a kafka:// transport", "kafka", ("aiokafka", "cramjam")):
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


def _memory_transport(url: str) -> Wires:
    from agentopic.adapters.transport.memory import MemoryAdmin, MemoryTransport
    from agentopic.adapters.transport.memory_log import MemoryLog

    log = shared(_shared_logs, url, MemoryLog)
    return Wires(MemoryTransport(log, max_record_bytes=RECORD_BYTES), MemoryAdmin(log))


_TRANSPORTS: dict[str, Callable[[str], Wires]] = {
    "sqlite": _sqlite_transport,
    "kafka": _kafka_transport,
    "memory": _memory_transport,
}
