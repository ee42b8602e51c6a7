"""Payloads too large to travel: stored before their event, fetched and verified where it is handled."""

from __future__ import annotations

from typing import Any

import pytest

from agentopic.adapters.blobs.memory import MemoryBlobs
from agentopic.core import AgentId, MessageContext
from agentopic.engine import dispatch
from agentopic.engine.large_payloads import LargePayloads
from agentopic.engine.options import EngineOptions
from agentopic.engine.turn import Content
from agentopic.envelope import Envelope
from agentopic.errors import BlobMissingError, BlobUnavailableError, UnreachableError

from .town import NS, Note, Resident, Town, seeing, topic, until

LIMIT = 2048
LARGE = "x" * (LIMIT + 1)
OPTIONS = EngineOptions(blob_bytes=LIMIT)


def content(size: int) -> Content:
    return Content(type="town.Note.v1", datacontenttype="application/json", data=b"x" * size)


def event(**given: Any) -> Envelope:
    return Envelope(id="1", source="/here", type="town.Note.v1", **given)


async def test_content_up_to_the_limit_travels_whole():
    blobs = MemoryBlobs()

    assert await LargePayloads(blobs, OPTIONS).aside(content(LIMIT)) == content(LIMIT)
    assert blobs.stored == {}


async def test_larger_content_travels_as_a_reference_that_names_its_hash():
    blobs = MemoryBlobs()

    reduced = await LargePayloads(blobs, OPTIONS).aside(content(LIMIT + 1))

    (sha256,) = blobs.stored
    assert reduced.data is None
    assert reduced.extensions["agdatasha256"] == sha256
    assert str(reduced.extensions["dataref"]).startswith("ni:///sha-256;")


async def test_where_blobs_are_served_the_reference_is_an_address():
    blobs = MemoryBlobs()
    options = EngineOptions(blob_bytes=LIMIT, blob_base_url="https://gateway.example/")

    reduced = await LargePayloads(blobs, options).reduced(event(data=b"x" * (LIMIT + 1)))

    (sha256,) = blobs.stored
    assert (reduced.dataref, reduced.data) == (f"https://gateway.example/v1/blobs/{sha256}", None)


async def test_a_reduced_event_becomes_whole_again():
    large = LargePayloads(MemoryBlobs(), OPTIONS)
    given = event(data=b"x" * (LIMIT + 1))

    whole = await large.whole(await large.reduced(given))

    assert whole.data == given.data


async def test_a_reference_of_another_program_is_not_followed():
    foreign = event(extensions={"dataref": "https://elsewhere.example/payload"})

    assert await LargePayloads(MemoryBlobs(), OPTIONS).whole(foreign) == foreign


async def test_a_payload_that_is_not_in_the_store_is_missing():
    lost = event(extensions={"dataref": "ni:///sha-256;x", "agdatasha256": "0" * 64})

    with pytest.raises(BlobMissingError, match="AGENTOPIC_BLOBS"):
        await LargePayloads(MemoryBlobs(), OPTIONS).whole(lost)
    with pytest.raises(BlobMissingError, match="none is set here"):
        await LargePayloads(None, OPTIONS).whole(lost)


async def test_using_a_payload_makes_it_young():
    seconds = [0.0]
    blobs = MemoryBlobs(lambda: seconds[0])
    large = LargePayloads(blobs, OPTIONS)
    reduced = await large.reduced(event(data=b"x" * (LIMIT + 1)))

    seconds[0] = 50.0
    await large.whole(reduced)

    assert await blobs.unused(50.0, 1) == []


# ── on a mesh ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_large_publish_request_and_answer_reach_their_handlers_and_stay_out_of_the_log(town: Town):
    blobs = MemoryBlobs()
    seen = list[str]()

    async def order(agent: Resident, message: Note, ctx: MessageContext) -> None:
        answer = await agent.send_message(Note(text=message.text + "?"), AgentId("oracle", "k"))
        seen.extend([message.text, answer.text])
        await agent.publish_message(answer, topic("out"))

    async def know(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        return Note(text=message.text + "!")

    runtime = town.runtime(blobs=blobs, blob_bytes=LIMIT)
    await town.settle(runtime, "clerk", order)
    await town.settle(runtime, "oracle", know)
    town.create("topic.out")
    await runtime.start()

    await runtime.publish_message(Note(text=LARGE), topic("clerk"))
    await runtime.stop_when_idle()

    assert seen == [LARGE, LARGE + "?!"]
    records = [each for name in ("topic.clerk", "agent.oracle", "replies", "topic.out") for each in town.records(name)]
    assert len(records) >= 4
    assert max(len(each.value or b"") for each in records) <= LIMIT
    (out,) = town.events("topic.out")
    assert out.agdatasha256 in blobs.stored


async def test_a_missing_payload_is_tried_again_and_then_a_dead_letter_with_its_reference(town: Town):
    blobs = MemoryBlobs()

    async def never(agent: Resident, message: Note, ctx: MessageContext) -> None:
        raise AssertionError

    runtime = town.runtime(blobs=blobs, blob_bytes=LIMIT)
    await town.settle(runtime, "clerk", never)
    await runtime.start()
    await runtime.publish_message(Note(text=LARGE), topic("clerk"))

    blobs.stored.clear()
    await runtime.stop_when_idle()

    (letter,) = town.events("dead.clerk")
    assert town.reasons("clerk") == ["AttemptsExhaustedError"]
    assert letter.agdatasha256 is not None
    assert letter.source.startswith(f"/{NS}/")


class UnreachableBlobs(MemoryBlobs):
    """A store that answers when it is told to."""

    is_away = False

    async def start(self) -> None:
        if self.is_away:
            raise UnreachableError("no store answers")


async def test_a_delivery_whose_payload_cannot_be_fetched_waits_for_the_store(
    town: Town, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatch, "UNREADABLE_WAIT_SECONDS", 0.01)
    blobs, seen = UnreachableBlobs(), list[Note]()
    runtime = town.runtime(blobs=blobs, blob_bytes=LIMIT)
    await town.settle(runtime, "clerk", seeing(seen))
    town.create("topic.clerk")
    client = town.runtime(blobs=blobs, blob_bytes=LIMIT)
    await client.publish_message(Note(text=LARGE), topic("clerk"))

    blobs.is_away = True
    await runtime.start()
    await until(lambda: any(each.attempts > 4 for each in town.store.unfinished.values()), "it is tried again")
    blobs.is_away = False
    await runtime.stop_when_idle()

    assert [each.text for each in seen] == [LARGE]
    assert town.records("dead.clerk") == []


async def test_a_publish_whose_payload_cannot_be_stored_is_a_typed_error(town: Town):
    blobs = UnreachableBlobs()
    blobs.is_away = True
    town.create("topic.clerk")
    runtime = town.runtime(blobs=blobs, blob_bytes=LIMIT)

    with pytest.raises(BlobUnavailableError):
        await runtime.publish_message(Note(text=LARGE), topic("clerk"))
    assert town.records("topic.clerk") == []
