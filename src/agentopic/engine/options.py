"""How the engine runs: one frozen dataclass, given by whoever builds the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agentopic.engine.budget import AgentBudgets
from agentopic.engine.circuit import CircuitPolicy
from agentopic.ports.rate_limits import RateLimit


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
    budgets: AgentBudgets = field(default_factory=AgentBudgets)
    """How much every agent type may spend, where it does not say otherwise."""
    prices: str | None = None
    """A price file of one's own; its models go before the shipped ones."""
    circuit: CircuitPolicy = field(default_factory=CircuitPolicy)
    rate_limits: Mapping[str, RateLimit] = field(default_factory=dict[str, RateLimit])
    """By endpoint, by model name, or `*` for every other endpoint, each on its own."""
    previews: Literal["auto", "always", "never"] = "auto"
    """Whether streams are shown on the stream topic: `auto` has it created by the first stream, `always` at start."""
    suspend_seconds: float = 60.0
    """How long a waiting turn stays in memory; then it is unwound, and run again from its steps when it can go on."""
    idle_agents: int = 10_000
    """Agent instances kept in memory between turns, per agent type."""
    idle_seconds: float = 900.0
    """How long an instance without a turn stays in memory."""
    memory_limit_bytes: int | None = None
    """Resident size of the process above which idle instances are put away, oldest first, whatever their age."""
    sweep_seconds: float = 600.0
    """How often what is past its retention is looked for, on average."""
    blob_bytes: int = 512 * 1024
    """Payloads above this size are stored as blobs and travel as a reference."""
    blob_base_url: str | None = None
    """Where blobs are served, `<url>/v1/blobs/<sha256>`; None: events name the content alone (`ni:` of RFC 6920)."""
    blob_seconds: float = 30 * 24 * 3600.0
    """How long an unused blob is kept; longer than events may lie in a topic unread."""

    @property
    def owner_seconds(self) -> float:
        """How long a process that owns a process-lived agent may be silent before it is taken to be gone."""
        return self.request_resend_seconds * (self.request_resends + 1)
