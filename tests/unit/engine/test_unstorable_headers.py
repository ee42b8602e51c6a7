"""A record whose header names no journal can store becomes a dead letter, and what comes behind it is handled."""

from __future__ import annotations

import pytest

from agentopic.adapters.transport.memory import MemoryTransport
from agentopic.ports.transport import OutgoingRecord

from .town import NS, Note, Town, seeing, topic, until


@pytest.mark.parametrize("place", ["topic.clerk", "agent.clerk", "control.clerk"])
async def test_a_header_name_that_cannot_be_stored_stalls_nothing(town: Town, place: str):
    seen, runtime = list[Note](), town.runtime(partitions=1)
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()
    bad = OutgoingRecord(topic=f"{NS}.{place}", key=b"k", value=b"{", headers=(("a\0b", b"value"),))

    await MemoryTransport(town.log).send([bad])
    await runtime.publish_message(Note(text="behind"), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")), "the letter is there")
    await runtime.stop_when_idle()

    (letter,) = town.records("dead.clerk")
    assert [note.text for note in seen] == ["behind"]
    assert (letter.value, letter.headers[0]) == (b"{", ("a\\x00b", b"value"))
