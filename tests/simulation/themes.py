"""What a seed is about: the kinds of work that its orders ask for, and who else is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

THEMES = (
    "parallel steps",
    "requests between agents",
    "timers",
    "questions",
    "sagas",
    "pause and resume",
    "cancelled runs",
    "process-lived callers",
    "outside callers",
    "failures",
)

DEEDS = {
    "parallel steps": ("check",),
    "requests between agents": ("ask a till", "ask a slow till"),
    "timers": ("wait",),
    "questions": ("ask a person",),
    "sagas": ("travel", "travel in vain"),
    "failures": ("fail",),
}
"""What orders may ask for under a theme."""


def themes_of(seed: int) -> tuple[str, ...]:
    """Return the two or three themes of a seed."""
    choice = Random(f"themes of {seed}")
    return tuple(sorted(choice.sample(THEMES, choice.choice((2, 2, 3)))))


def count_themes(seeds: Iterable[int]) -> Counter[str]:
    """Return how many seeds are about what."""
    return Counter(theme for seed in seeds for theme in themes_of(seed))
