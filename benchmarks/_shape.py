"""The shape of the load: the same numbers for everyone who is compared."""

from __future__ import annotations

PARTITIONS = 8
KEYS = 500
TEXT = "x" * 480
"""With it an event has about 500 bytes of data."""
