from __future__ import annotations

from agentopic.ports.journal import AgentState, StateChange
from agentopic.testing.journal_mesh import JournalMesh, Member, delivery, done, output


async def change(member: Member, *changes: StateChange) -> bytes:
    """Commit one turn per change and return the agent's lane."""
    lane = b""
    for number, each in enumerate(changes):
        (turn,) = await member.run(delivery(f"{number}-{each.expected}-{each.version}"))
        committed = await member.commit(done(turn, state=each))
        assert not committed.lost
        lane = turn.lane
    return lane


async def test_events_alone_are_the_state(member: Member) -> None:
    lane = await change(member, StateChange(expected=0, events=(b"1", b"2")), StateChange(expected=2, events=(b"3",)))

    state = await member.journal.load(lane)

    assert state is not None
    assert (state.version, state.snapshot, list(state.events)) == (3, None, [b"1", b"2", b"3"])


async def test_events_follow_the_snapshot_they_came_after(member: Member) -> None:
    lane = await change(
        member,
        StateChange(expected=0, snapshot=b"s1"),
        StateChange(expected=1, events=(b"2", b"3")),
        StateChange(expected=3, events=(b"4",)),
    )

    state = await member.journal.load(lane)

    assert state is not None
    assert (state.version, state.snapshot, list(state.events)) == (4, b"s1", [b"2", b"3", b"4"])


async def test_a_snapshot_stands_for_the_events_it_came_with_and_those_before(member: Member) -> None:
    lane = await change(
        member,
        StateChange(expected=0, events=(b"1",)),
        StateChange(expected=1, events=(b"2", b"3"), snapshot=b"s3"),
        StateChange(expected=3, events=(b"4",)),
    )

    state = await member.journal.load(lane)

    assert state is not None
    assert (state.version, state.snapshot, list(state.events)) == (4, b"s3", [b"4"])


async def test_a_snapshot_alone_has_no_events(member: Member) -> None:
    lane = await change(member, StateChange(expected=0, events=(b"1",)), StateChange(expected=1, snapshot=b"s2"))

    state = await member.journal.load(lane)

    assert state is not None
    assert (state.version, state.snapshot, list(state.events)) == (2, b"s2", [])


async def test_the_version_that_events_lead_to_comes_with_the_lane(member: Member) -> None:
    await change(member, StateChange(expected=0, events=(b"1", b"2")))

    (turn,) = await member.run(delivery("next"))

    assert turn.version == 2


async def test_events_at_a_wrong_version_lose_the_lane(member: Member) -> None:
    lane = await change(member, StateChange(expected=0, events=(b"1", b"2")))
    (turn,) = await member.run(delivery("next"))

    committed = await member.commit(
        done(turn, state=StateChange(expected=1, events=(b"x",)), outbox=[output("x")]),
    )

    assert (committed.lost, list(committed.rows)) == ({lane}, [])
    state = await member.journal.load(lane)
    assert state is not None
    assert list(state.events) == [b"1", b"2"]


async def test_events_hold_any_bytes(member: Member) -> None:
    values = (b"", b"\0\xff" * 10, b"x" * 1_000_000)

    lane = await change(member, StateChange(expected=0, events=values))

    state = await member.journal.load(lane)
    assert state is not None
    assert tuple(state.events) == values


async def test_states_outlive_a_sweep(member: Member) -> None:
    lane = await change(
        member,
        StateChange(expected=0, events=(b"1", b"2"), snapshot=b"s2"),
        StateChange(expected=2, events=(b"3",)),
    )

    await member.journal.sweep(0)

    state = await member.journal.load(lane)
    assert state is not None
    assert (state.version, state.snapshot, list(state.events)) == (3, b"s2", [b"3"])


async def test_many_turns_in_one_commit_store_their_own_states(member: Member) -> None:
    turns = await member.run(*(delivery("a", f"k{number}") for number in range(4)))
    changes = [
        StateChange(expected=0, snapshot=b"s"),
        StateChange(expected=0, events=(b"1", b"2")),
        StateChange(expected=0, events=(b"1",), snapshot=b"s"),
        StateChange(expected=5, snapshot=b"late"),
    ]

    committed = await member.commit(*(done(turn, state=each) for turn, each in zip(turns, changes, strict=True)))

    states = [await member.journal.load(turn.lane) for turn in turns]
    assert committed.lost == {turns[3].lane}
    assert [state and (state.version, state.snapshot, list(state.events)) for state in states] == [
        (1, b"s", []),
        (2, None, [b"1", b"2"]),
        (1, b"s", []),
        None,
    ]


async def test_what_one_process_stored_another_loads(mesh: JournalMesh) -> None:
    one, two = await mesh.join(), await mesh.join()

    lane = await change(one, StateChange(expected=0, events=(b"1",)))

    state = await two.journal.load(lane)
    assert isinstance(state, AgentState)
    assert list(state.events) == [b"1"]
