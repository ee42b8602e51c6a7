"""What a failure means: try again after a while, or give up. The error's class decides."""

from __future__ import annotations

import random

from agentopic.engine.options import RetryPolicy
from agentopic.errors import AgentopicError, AttemptsExhaustedError, RetryLater

ONCE = RetryPolicy(max_failures=1)
"""No second attempt."""


def is_retryable(error: BaseException) -> bool:
    """Whether another attempt may end differently; errors that are not agentopic's get the benefit of the doubt."""
    return error.retryable if isinstance(error, AgentopicError) else True


def retry_delay(error: BaseException, failures: int, policy: RetryPolicy) -> float | None:
    """Return the seconds to wait before the next attempt after this many failures, or None to give up.

    A handler's own `RetryLater` and a provider's Retry-After are taken at their word.
    """
    if not is_retryable(error) or failures >= policy.max_failures:
        return None
    if isinstance(error, RetryLater):
        return error.delay_seconds
    wished = getattr(error, "retry_after_seconds", None)
    # Full jitter: calls that failed together do not come back together.
    jittered = random.uniform(0.0, policy.ceiling(failures))
    return max(jittered, wished) if isinstance(wished, int | float) else jittered


def final_error(error: BaseException, failures: int) -> BaseException:
    """Return the error to report for a delivery that is given up."""
    if failures <= 1 or not is_retryable(error):
        return error
    exhausted = AttemptsExhaustedError(f"failed {failures} times, last with {type(error).__name__}: {error}")
    exhausted.__cause__ = error
    return exhausted
