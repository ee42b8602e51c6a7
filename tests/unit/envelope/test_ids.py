"""Ids: time-ordered for roots, the same for ever for what is derived."""

from __future__ import annotations

import os
import threading
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope import derive_id, ids, new_id

parts = st.lists(st.text(max_size=8) | st.integers() | st.binary(max_size=8), max_size=4)


def test_new_id_is_a_uuid7_of_now() -> None:
    before = time.time_ns() // 1_000_000

    made = uuid.UUID(new_id())

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_new_ids_increase_strictly() -> None:
    made = [new_id() for _ in range(20_000)]

    assert made == sorted(set(made))


def test_new_ids_of_threads_are_distinct() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(new_id() for _ in range(2000))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 8000


def test_new_ids_increase_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = iter([5_000_000_000_000_000_000, 4_000_000_000_000_000_000, 5_000_000_000_000_000_000])
    monkeypatch.setattr(ids, "_clock", ids._Clock())
    monkeypatch.setattr(ids.time, "time_ns", lambda: next(readings))

    made = [new_id(), new_id(), new_id()]

    assert made == sorted(set(made))


def test_new_ids_increase_when_a_millisecond_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ids._Clock()
    monkeypatch.setattr(ids, "_clock", clock)
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    first = new_id()
    clock._tail = (1 << 74) - 1

    second = new_id()

    assert second > first
    assert uuid.UUID(second).version == 7


def test_forked_child_mints_other_ids() -> None:
    new_id()
    read, write = os.pipe()

    child = os.fork()
    if child == 0:
        os.write(write, " ".join(new_id() for _ in range(50)).encode())
        os._exit(0)
    mine = {new_id() for _ in range(50)}
    os.waitpid(child, 0)
    theirs = set(os.read(read, 65536).decode().split())
    os.close(read)
    os.close(write)

    assert len(theirs) == 50
    assert not mine & theirs


def test_derived_id_never_changes() -> None:
    assert derive_id("analyst", "k", "/src", "id-1", 0, 3) == "6e0b1660-2717-8f7b-a93d-d720e4fed2d1"
    assert uuid.UUID(derive_id("x")).version == 8
    assert uuid.UUID(derive_id("x")).variant == uuid.RFC_4122


@given(parts, parts)
def test_derived_ids_are_equal_exactly_when_their_parts_are(one: list[str], other: list[str]) -> None:
    same = [(type(part), part) for part in one] == [(type(part), part) for part in other]

    assert (derive_id(*one) == derive_id(*other)) == same


@pytest.mark.parametrize(("one", "other"), [(("ab", "c"), ("a", "bc")), ((1,), ("1",)), (("a",), (b"a",)), ((), ("",))])
def test_parts_do_not_run_together(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert derive_id(*one) != derive_id(*other)


def test_derived_id_accepts_any_text() -> None:
    assert derive_id("\ud800") != derive_id("\udc00")
