"""What is swept, what is kept, and what a store that does not answer stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentopic.adapters.blobs.memory import MemoryBlobs
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.options import EngineOptions
from agentopic.engine.retention import PORTION, Retention
from agentopic.errors import JournalUnavailableError, UnreachableError

from .town import Note, Town, nothing, topic, until

OPTIONS = EngineOptions(blob_seconds=100.0, dedup_seconds=7.0)


class SweptJournal:
    """A journal as far as retention knows it."""

    def __init__(self, needed: Sequence[str] = ()) -> None:
        self.needed = set(needed)
        self.horizons: list[float] = []
        self.fails = False

    async def sweep(self, dedup_seconds: float) -> None:
        if self.fails:
            raise JournalUnavailableError("away")
        self.horizons.append(dedup_seconds)

    async def mentioned(self, texts: Sequence[str]) -> set[str]:
        return self.needed & set(texts)


class Store(MemoryBlobs):
    """Blobs with a clock of their own that note whether they are open."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(lambda: self.seconds)
        self.open = 0
        self.fails = False

    async def start(self) -> None:
        if self.fails:
            raise UnreachableError("away")
        self.open += 1

    async def aclose(self) -> None:
        self.open -= 1


def retention(journal: SweptJournal, store: Store | None) -> Retention:
    given: Any = journal
    return Retention(given, LargePayloads(store, OPTIONS), OPTIONS)


async def test_the_journal_is_swept_to_the_dedup_horizon_with_or_without_blobs():
    journal = SweptJournal()

    await retention(journal, None).sweep()

    assert journal.horizons == [7.0]


async def test_blobs_unused_for_long_are_deleted_and_younger_ones_stay():
    store = Store()
    old = await store.put(b"old")
    store.seconds = 60.0
    young = await store.put(b"young")

    store.seconds = 100.0
    await retention(SweptJournal(), store).sweep()

    assert set(store.stored) == {young} != {old}


async def test_what_unfinished_work_names_is_made_young_at_half_its_age():
    store = Store()
    needed = await store.put(b"needed")
    kept = retention(SweptJournal([needed]), store)

    for store.seconds in (50.0, 100.0, 150.0, 400.0):
        await kept.sweep()

    assert set(store.stored) == {needed}


async def test_more_than_a_portion_is_swept_in_one_go():
    store = Store()
    for number in range(2 * PORTION + 3):
        await store.put(b"%d" % number)

    store.seconds = 100.0
    await retention(SweptJournal(), store).sweep()

    assert store.stored == {}


async def test_a_portion_that_is_not_old_enough_yet_ends_the_sweep():
    store = Store()
    for number in range(2 * PORTION):
        await store.put(b"%d" % number)

    store.seconds = 60.0
    await retention(SweptJournal(), store).sweep()

    assert len(store.stored) == 2 * PORTION


async def test_a_store_that_no_payload_needs_is_not_left_open():
    store = Store()

    await retention(SweptJournal(), store).sweep()

    assert store.open == 0


async def test_a_store_that_is_in_use_stays_open():
    store = Store()
    large = LargePayloads(store, OPTIONS)

    async with large.upkeep():
        await large.aside(content_of(OPTIONS.blob_bytes + 1))

    assert store.open == 1
    await large.aclose()
    assert store.open == 0


async def test_a_journal_or_store_that_does_not_answer_is_swept_next_time():
    journal, store = SweptJournal(), Store()
    sweeping = retention(journal, store)
    await store.put(b"old")
    store.seconds = 100.0

    journal.fails = True
    await sweeping.sweep()
    journal.fails, store.fails = False, True
    await sweeping.sweep()
    store.fails = False
    await sweeping.sweep()

    assert (journal.horizons, store.stored) == ([7.0, 7.0], {})


async def test_a_running_process_forgets_what_is_past_its_time(town: Town):
    runtime = town.runtime(sweep_seconds=0.02, dedup_seconds=0.05)
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()

    await runtime.publish_message(Note(), topic("clerk"))
    await until(lambda: bool(town.store.agents), "the turn is committed")
    await until(lambda: not town.store.seen, "its identity is forgotten")

    assert len(town.store.agents) == 1


def content_of(size: int) -> Any:
    from agentopic.engine.turn import Content

    return Content(type="town.Note.v1", datacontenttype="text/plain", data=b"x" * size)
