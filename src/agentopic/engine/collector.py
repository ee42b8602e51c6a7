"""The cyclic garbage collector of a service's process."""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 50, 100)
"""How many new containers make it look at the young, and how many such looks at the older."""


def calm_collector() -> None:
    """Have the collector look rarely, and never again at what is in memory by now, modules above all.

    A turn makes hundreds of small containers and hardly ever a cycle: the usual thresholds have the collector run
    every other turn, for about a tenth of the engine's time. For programs that are nothing but a service; a library
    leaves the collector of its process alone.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
