"""Values that are never changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agentopic.core._immutable import immutable


@immutable
class Point:
    x: int
    y: int = 0


def test_values_are_equal_and_hashed_by_their_fields() -> None:
    assert Point(x=1) == Point(x=1, y=0)
    assert len({Point(x=1), Point(x=1), Point(x=2)}) == 2


def test_a_copy_may_differ() -> None:
    assert replace(Point(x=1), y=5) == Point(x=1, y=5)


def test_a_value_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        setattr(Point(x=1), "z", 1)  # noqa: B010 - the type checker refuses it otherwise
