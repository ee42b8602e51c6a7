"""How the engine runs: one frozen dataclass, given by whoever builds the runtime."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a failed delivery is tried again: exponential backoff with full jitter, in its lane."""

    max_failures: int = 3
    """Failures of the handler after which the delivery is given up. Crashes and drains do not count."""
    initial_seconds: float = 0.2
    max_seconds: float = 60.0
    factor: float = 2.0

    def ceiling(self, failures: int) -> float:
        """Return the longest wait in seconds after this many failures (1 or more)."""
        return min(self.max_seconds, self.initial_seconds * self.factor ** (failures - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Limits, times and policies of one process."""

    namespace: str = "agentopic"
    lease_seconds: float = 10.0
    """A process without a new beat for this long, by an observer's own clock, is buried."""
    max_concurrent_agents: int = 100
    """Running turns per agent type."""
    message_queue_size: int = 10_000
    """Stored and unfinished deliveries of an agent type above which its partitions are not read."""
    message_buffer_bytes: int = 10 * 1024 * 1024
    """Bytes of records read and not yet stored, per agent type."""
    max_event_bytes: int = 1024 * 1024
    """An inbound record above this size is dead-lettered unparsed."""
    topics: Literal["create", "verify"] = "create"
    partitions: int = 8
    topic_replication: int = 1
    drain_seconds: float = 30.0
    """How long running turns may go on after a stop was asked for."""
    hop_limit: int = 64
    start_from: str | None = None
    """Where a new agent type begins when its first start finds many unread records: `earliest`, `latest` or a time."""
    crash_limit: int = 2
    """Crashes inside the gate after which a delivery is given up."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    model_retry: RetryPolicy = field(
        default_factory=lambda: RetryPolicy(max_failures=4, initial_seconds=0.5, max_seconds=20.0)
    )
    """Inside one step: the first call and three retries."""
    request_timeout_seconds: float | None = 600.0
    request_resend_seconds: float = 10.0
    request_resends: int = 2
    dedup_seconds: float = 7 * 24 * 3600.0
    idle_agents: int = 10_000
    """Agent instances kept in memory between turns."""
