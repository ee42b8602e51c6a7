from __future__ import annotations

import asyncio

from agentopic.testing.journal_mesh import JournalMesh, Member, delivery


async def test_a_request_is_stored_open(member: Member) -> None:
    row = await member.journal.open_request(member.id, "r", "worker/k", 100.0)

    assert (row.request_id, row.target, row.outcome, row.value, row.fresh) == ("r", "worker/k", None, None, True)
    assert row.remaining_seconds is not None
    assert 40 <= row.remaining_seconds <= 100.001


async def test_a_request_may_have_no_deadline(member: Member) -> None:
    row = await member.journal.open_request(member.id, "r", "worker/k", None)

    assert (row.remaining_seconds, row.due_ms) == (None, None)


async def test_a_deadline_is_told_as_a_time_of_the_clock_that_judges_deliveries(mesh: JournalMesh) -> None:
    one = await mesh.join()
    over = await one.journal.open_request(one.id, "over", "worker/k", 0.0)
    ahead = await one.journal.open_request(one.id, "ahead", "worker/k", 100.0)

    await one.run(delivery("over", "a", request_id="over", deadline_ms=over.due_ms))
    await one.run(delivery("ahead", "b", request_id="ahead", deadline_ms=ahead.due_ms))

    held = (await one.journal.held(one.id)).lanes
    assert {lane.key: lane.expired for lane in held} == {"a": True, "b": False}


async def test_a_request_asked_again_is_found_with_its_first_deadline(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.journal.open_request(one.id, "r", "worker/k", 100.0)

    row = await two.journal.open_request(two.id, "r", "worker/other", 5000.0)

    assert (row.fresh, row.target, row.outcome) == (False, "worker/k", None)
    assert row.remaining_seconds is not None
    assert row.remaining_seconds <= 100.001


async def test_a_request_asked_again_after_its_end_is_found_with_its_answer(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    await one.journal.open_request(one.id, "r", "worker/k", None)
    await one.journal.close_request(one.id, "r", "done", b"42", 3600)

    row = await two.journal.open_request(two.id, "r", "worker/k", None)

    assert (row.outcome, row.value, row.fresh) == ("done", b"42", False)


async def test_the_first_end_of_a_request_stays(member: Member) -> None:
    await member.journal.open_request(member.id, "r", "worker/k", None)
    first = await member.journal.close_request(member.id, "r", "expired", None, 3600)

    second = await member.journal.close_request(member.id, "r", "done", b"42", 3600)

    assert first == second
    assert (second.outcome, second.value) == ("expired", None)


async def test_a_request_opened_twice_at_the_same_time_is_fresh_once(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()

    rows = await asyncio.gather(
        *(
            each.journal.open_request(each.id, f"r{number}", "worker/k", None)
            for number in range(5)
            for each in (one, two)
        )
    )

    assert sum(row.fresh for row in rows) == 5


async def test_a_closed_request_is_forgotten_after_its_time(member: Member) -> None:
    for request_id, keep_seconds in (("short", 0.0), ("long", 3600.0)):
        await member.journal.open_request(member.id, request_id, "worker/k", None)
        await member.journal.close_request(member.id, request_id, "done", b"42", keep_seconds)

    await member.journal.sweep(3600)

    assert (await member.journal.open_request(member.id, "short", "worker/k", None)).fresh
    assert not (await member.journal.open_request(member.id, "long", "worker/k", None)).fresh


async def test_an_open_request_outlives_a_sweep_until_its_deadline(member: Member) -> None:
    await member.journal.open_request(member.id, "open", "worker/k", 3600.0)
    await member.journal.open_request(member.id, "late", "worker/k", 0.0)

    await member.journal.sweep(0)

    assert not (await member.journal.open_request(member.id, "open", "worker/k", None)).fresh
    assert (await member.journal.open_request(member.id, "late", "worker/k", None)).fresh
