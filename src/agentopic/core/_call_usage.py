"""`CallUsage`: what one paid call consumed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUsage:
    """Tokens of one paid call, as its provider counted them."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    """Those of the input that came from the provider's own cache, at a lower price."""
