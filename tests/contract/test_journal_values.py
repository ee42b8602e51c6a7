from __future__ import annotations

from dataclasses import replace

import pytest

from agentopic.errors import ValueRefusedError
from agentopic.ports.journal import Incoming, IntakeBatch, MarkAdvance, OutboxRow, ReplyAddress, StateChange
from agentopic.ports.transport import TopicPartition
from agentopic.testing.journal_mesh import (
    GROUP,
    PLACE,
    Member,
    answer,
    delivery,
    digest,
    done,
    intent,
    output,
    result,
)

LARGE = bytes(range(256)) * (10 * 1024 * 4)
BYTES = [b"", b"\0", b"a\0b\0", b"\xff\xfe\x00\x80", bytes(range(256))]
BAD_TEXT = ["nul\0inside", "\0", "lone \ud800 surrogate", "\udfff"]
GOOD_TEXT = [
    "\U0001f600 and \u00fc",
    "",
    " ",
    "a" * 1024,
    "\u0001\u001f",
    "x'; drop table lane; --",
    "%s {} $1",
]


@pytest.mark.parametrize("value", BYTES)
async def test_any_bytes_come_back_unchanged(member: Member, value: bytes) -> None:
    incoming = replace(delivery("a"), head=value, body=value)
    (lane,) = await member.run(incoming, delivery("b"))
    await member.journal.open_steps(member.id, [intent(lane, "call")])
    (closed,) = await member.journal.close_steps(member.id, [result(lane, "call", value)])
    row = OutboxRow(topic="t", key=value, value=value, headers=(("h", value),))

    committed = await member.commit(done(lane, state=StateChange(expected=0, snapshot=value), outbox=[row]))

    state = await member.journal.load(lane.lane)
    (held,) = (await member.journal.held(member.id)).lanes
    assert (lane.head, lane.body) == (value, value)
    assert closed.result == value
    assert state is not None
    assert state.snapshot == value
    assert [stored.row for stored in committed.rows] == [stored.row for stored in held.unsent] == [row]


async def test_ten_megabytes_come_back_unchanged(member: Member) -> None:
    await member.intake(replace(delivery("a"), head=LARGE, body=LARGE))
    (lane,) = await member.take()
    await member.journal.open_steps(member.id, [intent(lane, "call")])
    await member.journal.close_steps(member.id, [result(lane, "call", LARGE)])
    (step,) = await member.journal.recorded(lane.identity)

    committed = await member.commit(
        done(lane, state=StateChange(expected=0, snapshot=LARGE), outbox=[replace(output("x"), value=LARGE)])
    )

    state = await member.journal.load(lane.lane)
    (held,) = (await member.journal.held(member.id)).lanes
    assert lane.head == LARGE
    assert lane.body == LARGE
    assert step.result == LARGE
    assert state is not None
    assert state.snapshot == LARGE
    assert list(held.unsent) == list(committed.rows)


@pytest.mark.parametrize("text", GOOD_TEXT)
async def test_text_comes_back_unchanged(member: Member, text: str) -> None:
    request = delivery("a", text, request_id=text, reply_to=ReplyAddress("t" + text, 0))
    (lane,) = await member.run(request)
    reply = replace(answer(text), headers=((text, b"v"),))

    committed = await member.commit(done(lane, outbox=[replace(output("x"), topic=text)], answer=reply))
    again = await member.intake(request)

    first, second = committed.rows
    assert lane.key == text
    assert (first.row.topic, second.row.topic, second.row.headers) == (text, "t" + text, ((text, b"v"),))
    assert [row.row for row in again.rows] == [second.row]


@pytest.mark.parametrize("text", BAD_TEXT)
@pytest.mark.parametrize("field", ["key", "request_id", "reply_to"])
async def test_a_refused_delivery_leaves_nothing_of_its_batch(member: Member, field: str, text: str) -> None:
    bad: Incoming = replace(
        delivery("bad", "y", request_id="r", reply_to=ReplyAddress("t", 0)),
        **{field: ReplyAddress(text, 0) if field == "reply_to" else text},
    )

    with pytest.raises(ValueRefusedError):
        await member.intake(delivery("a", "x"), bad, dead=[(PLACE, output("d"))], free=2)

    backlog = await member.journal.backlog([GROUP])
    assert (backlog[GROUP].deliveries, backlog[""].unsent) == (0, 0)
    taken = await member.intake(delivery("a", "x"), free=2)
    assert (taken.repeats, [lane.head for lane in taken.started]) == (0, [b"a"])


@pytest.mark.parametrize("text", BAD_TEXT)
async def test_a_refused_dead_letter_leaves_nothing_of_its_batch(member: Member, text: str) -> None:
    with pytest.raises(ValueRefusedError):
        await member.intake(delivery("a"), dead=[(PLACE, output("d", topic=text))])

    assert (await member.journal.backlog([GROUP]))[GROUP].deliveries == 0


@pytest.mark.parametrize("text", BAD_TEXT)
async def test_a_refused_topic_leaves_every_watermark(member: Member, text: str) -> None:
    places = [PLACE, TopicPartition(text, 0)]
    marks = [MarkAdvance(partition=place, known=None, next=1) for place in places]

    with pytest.raises(ValueRefusedError):
        await member.journal.intake(member.id, IntakeBatch(group=GROUP, marks=marks, deliveries=[]))

    assert await member.journal.lease(member.id, GROUP, [PLACE]) == {PLACE: None}


@pytest.mark.parametrize("text", BAD_TEXT)
@pytest.mark.parametrize("field", ["topic", "header", "request_id"])
async def test_a_refused_turn_leaves_nothing_of_its_commit(member: Member, field: str, text: str) -> None:
    good, bad = await member.run(delivery("a", "x"), delivery("b", "y", request_id="r"))
    if field == "header" and text.startswith(("nul", "\0")):
        text = "\ud800"
    row = replace(output("1"), **({"topic": text} if field == "topic" else {}))
    row = replace(row, headers=((text if field == "header" else "h", b""),))
    turn = done(bad, outbox=[row], answer=answer(text if field == "request_id" else "r"))

    with pytest.raises(ValueRefusedError):
        await member.commit(done(good, outbox=[output("2")]), turn)

    backlog = await member.journal.backlog([GROUP])
    assert (backlog[GROUP].deliveries, backlog[GROUP].unsent) == (2, 0)
    assert not (await member.commit(done(good), done(bad))).lost


@pytest.mark.parametrize("text", BAD_TEXT)
@pytest.mark.parametrize("field", ["kind", "name"])
async def test_a_refused_step_leaves_nothing_of_its_call(member: Member, field: str, text: str) -> None:
    (lane,) = await member.run(delivery("a"))
    bad = replace(intent(lane, "bad"), **{field: text})

    with pytest.raises(ValueRefusedError):
        await member.journal.open_steps(member.id, [intent(lane, "good"), bad])

    assert not await member.journal.recorded(lane.identity)


@pytest.mark.parametrize("text", BAD_TEXT)
async def test_a_process_of_a_refused_group_does_not_enter(member: Member, text: str) -> None:
    with pytest.raises(ValueRefusedError):
        await member.journal.join([text], "127.0.0.1:0")

    assert not await member.journal.peers(member.id)


async def test_keys_that_differ_in_nothing_but_form_are_different_lanes(member: Member) -> None:
    keys = ["A", "a", "a ", "\u00e9", "e\u0301"]

    started = await member.run(*(delivery("x", key) for key in keys))

    assert [lane.key for lane in started] == keys
    assert len({digest(GROUP, key) for key in keys}) == len(keys)
