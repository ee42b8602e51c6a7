from __future__ import annotations

from dataclasses import replace

from agentopic.testing.journal_mesh import Member, delivery, done, intent, result


async def test_what_stored_and_recorded_work_contains_is_found(member: Member) -> None:
    heads = [replace(delivery(name, name), head=b'{"dataref":"' + name.encode() + b'"}') for name in ("h1", "h2")]
    await member.intake(heads[0])
    (turn,) = await member.run(heads[1])
    await member.open(intent(turn, "call"))
    await member.close(result(turn, "call", b"\xff blob r1 \0"))

    found = await member.journal.mentioned(["h1", "h2", "r1", "other", "H1"])

    assert found == {"h1", "h2", "r1"}


async def test_what_finished_work_contained_is_not_found(member: Member) -> None:
    (turn,) = await member.run(replace(delivery("a"), head=b"blob h1"))
    await member.open(intent(turn, "call"))
    await member.close(result(turn, "call", b"blob r1"))
    await member.commit(done(turn, outcome="dead"))

    found = await member.journal.mentioned(["h1", "r1"])

    assert not found
    assert not await member.journal.mentioned([])
