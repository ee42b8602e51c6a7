from __future__ import annotations

import asyncio
from dataclasses import replace

from agentopic.ports.journal import Spend
from agentopic.testing.journal_mesh import JournalMesh, Member, delivery, intent, parked, result

FULL = Spend(
    scope="run/1",
    calls=1,
    saved=2,
    unknown=3,
    diverged=4,
    input_tokens=5,
    output_tokens=6,
    micros=7,
    unpriced=8,
)


async def test_nothing_spent_is_zero(member: Member) -> None:
    assert await member.journal.spent(["run/1"]) == {"run/1": Spend(scope="run/1")}
    assert await member.journal.spent([]) == {}


async def test_entries_add_up(member: Member) -> None:
    await member.journal.spend(member.id, [FULL, replace(FULL, scope="run/2")])
    await member.journal.spend(member.id, [FULL])

    spent = await member.journal.spent(["run/1", "run/2"])

    assert spent["run/2"] == replace(FULL, scope="run/2")
    assert spent["run/1"] == Spend(
        scope="run/1",
        calls=2,
        saved=4,
        unknown=6,
        diverged=8,
        input_tokens=10,
        output_tokens=12,
        micros=14,
        unpriced=16,
    )


async def test_a_scope_twice_in_one_call_adds_up(member: Member) -> None:
    await member.journal.spend(member.id, [FULL, FULL, FULL])

    assert (await member.journal.spent(["run/1"]))["run/1"].micros == 21


async def test_counts_hold_large_sums(member: Member) -> None:
    huge = Spend(scope="type/worker/2026-01-01", micros=2**40, input_tokens=2**40)

    await member.journal.spend(member.id, [huge, huge])

    spent = (await member.journal.spent([huge.scope]))[huge.scope]
    assert (spent.micros, spent.input_tokens) == (2**41, 2**41)


async def test_spending_at_the_same_time_loses_nothing(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()
    entries = [FULL, replace(FULL, scope="run/2")]

    await asyncio.gather(
        *(one.journal.spend(one.id, entries) for _ in range(10)),
        *(two.journal.spend(two.id, entries[::-1]) for _ in range(10)),
    )

    assert [spend.calls for spend in (await one.journal.spent(["run/1", "run/2"])).values()] == [20, 20]


async def test_what_a_call_cost_is_counted_with_its_result(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "call"))

    await member.close(replace(result(turn, "call", b"paid"), spend=(FULL, replace(FULL, scope="type/t/d"))))

    assert {spend.micros for spend in (await member.journal.spent(["run/1", "type/t/d"])).values()} == {7}


async def test_a_result_that_came_second_was_paid_all_the_same(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "call"))

    for value in (b"first", b"second"):
        await member.close(replace(result(turn, "call", value), spend=(FULL,)))

    assert (await member.journal.spent(["run/1"]))["run/1"].calls == 2


async def test_a_result_that_is_not_accepted_spends_nothing(member: Member) -> None:
    (turn,) = await member.run(delivery("a"))
    await member.open(intent(turn, "call"))
    await member.commit(parked(turn, "call"))

    await member.close(replace(result(turn, "call", b"t", lane=turn.lane, token=turn.token), spend=(FULL,)))

    assert (await member.journal.spent(["run/1"]))["run/1"] == Spend(scope="run/1")


async def test_spending_of_runs_is_forgotten_and_that_of_types_kept(member: Member) -> None:
    await member.journal.spend(member.id, [FULL, replace(FULL, scope="type/t/d")])
    await member.journal.sweep(3600)
    before = await member.journal.spent(["run/1"])

    await member.journal.sweep(0)

    spent = await member.journal.spent(["run/1", "type/t/d"])
    assert before["run/1"] == FULL
    assert spent["run/1"] == Spend(scope="run/1")
    assert spent["type/t/d"].calls == 1
