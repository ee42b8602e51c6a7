"""A little nonsense at every door with each run of the suite; `make fuzz` throws for as long as it is told."""

from __future__ import annotations

import pytest

from .__main__ import Count, throw
from .doors import DOORS, Door


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_a_door_refuses_in_our_own_words_what_it_does_not_take(door: Door) -> None:
    count = Count()

    throw(door, count, 5 if door.slow else 60, 1)

    assert count.thrown > 0
