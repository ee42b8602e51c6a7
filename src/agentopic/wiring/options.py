"""What settings mean for the engine: its options, and who counts model calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentopic.settings import Settings
from agentopic.wiring.choice import extra, require_redis

if TYPE_CHECKING:
    from agentopic.engine.options import EngineOptions
    from agentopic.ports.rate_limits import RateLimits


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
    require_redis("AGENTOPIC_RATE_LIMIT_STORE", url)
    with extra("a redis:// store", "redis", ("redis",)):
        from agentopic.adapters.rate_limit.redis import RedisRateLimits
    return RedisRateLimits(url, namespace=settings.namespace)
