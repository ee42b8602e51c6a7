"""How a Kafka cluster is reached and used: every setting that carries a guarantee is fixed here, in code."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any, Literal

from agentopic.adapters.transport.admission import DEFAULT_RECORD_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions:
    """A cluster and the limits of dealing with it. `bootstrap` is `host:port`, several by comma."""

    bootstrap: str
    client_id: str = "agentopic"
    max_record_bytes: int = DEFAULT_RECORD_BYTES
    """The largest record handed to the broker; keep it within the topics' `max.message.bytes`."""
    max_batch_bytes: int = 512 * 1024
    compression: Literal["gzip", "snappy", "lz4", "zstd"] | None = "zstd"
    start_timeout_seconds: float = 10.0
    request_timeout_seconds: float = 10.0
    delivery_timeout_seconds: float = 15.0
    """After this long an unacknowledged record counts as of unknown outcome."""
    commit_timeout_seconds: float = 5.0
    close_timeout_seconds: float = 5.0
    fetch_wait_ms: int = 100
    max_fetch_bytes: int = 10 * 1_048_576
    max_partition_fetch_bytes: int = 1_048_576
    silence_seconds: float = 5.0
    """A reader whose broker has not answered for this long says so."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_context: ssl.SSLContext | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = None

    def client_arguments(self) -> dict[str, Any]:
        """Return what every client of the cluster is built with."""
        return {
            "bootstrap_servers": [server.strip() for server in self.bootstrap.split(",")],
            "client_id": self.client_id,
            "request_timeout_ms": int(self.request_timeout_seconds * 1000),
            "retry_backoff_ms": 50,
            "security_protocol": self.security_protocol,
            "ssl_context": self.ssl_context,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": self.sasl_password,
        }

    def producer_arguments(self) -> dict[str, Any]:
        """Return what a producer is built with.

        Not idempotent: the client's sequence numbers never recover from a failed batch, and event ids make
        duplicates harmless. The size of a record is checked before it reaches the client.
        """
        return {
            **self.client_arguments(),
            "acks": "all",
            "enable_idempotence": False,
            "linger_ms": 0,
            "compression_type": self.compression,
            "max_batch_size": self.max_batch_bytes,
            "max_request_size": max(self.max_record_bytes, self.max_batch_bytes),
        }

    def consumer_arguments(self) -> dict[str, Any]:
        """Return what a consumer is built with: no group, no automatic commit, no silent reset."""
        return {
            **self.client_arguments(),
            "group_id": None,
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "isolation_level": "read_committed",
            "fetch_min_bytes": 1,
            "fetch_max_wait_ms": self.fetch_wait_ms,
            "fetch_max_bytes": self.max_fetch_bytes,
            "max_partition_fetch_bytes": self.max_partition_fetch_bytes,
        }
