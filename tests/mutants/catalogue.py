"""The faults that are put in on purpose, each with the test that must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patch:
    """A piece of source that stands exactly once in its file, and what it becomes."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Test:
    """A pytest selection."""

    path: str
    select: str = ""
    seeds: int = 0


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault, what it breaks, and who catches it."""

    name: str
    patches: tuple[Patch, ...]
    caught_by: Test


MEMORY = "agentopic/adapters/journal/memory/"
ENGINE = "agentopic/engine/"
CONTRACT = "tests/contract/test_journal_"
WRITER = "tests/unit/engine/test_writer.py"
KEPT = "tests/unit/engine/test_kept_deliveries.py"


def seeds(count: int = 200) -> Test:
    """The simulation, with so many seeds."""
    return Test("tests/simulation/test_seeds.py", "test_no_seed_breaks_the_promise", count)


def contract(name: str, test: str) -> Test:
    """A contract test, on the memory journal."""
    return Test(f"{CONTRACT}{name}.py", f"{test} and memory")


MUTANTS = (
    Mutant(
        "the watermark is advanced before the intake commits",
        (
            Patch(
                f"{ENGINE}intake.py",
                "intaken = await self._writer.journal.intake(self._writer.me, replace(batch, free=free))",
                "await self._writer.journal.intake(self._writer.me, replace(batch, deliveries=(), dead=()))\n"
                "        intaken = await self._writer.journal.intake("
                "self._writer.me, replace(batch, marks=(), free=free))",
            ),
        ),
        Test("tests/simulation/test_fault_points.py", "before and intake"),
    ),
    Mutant(
        "a delivery is not unique",
        (
            Patch(
                f"{MEMORY}intake.py",
                "if delivery.identity in store.seen or delivery.identity in store.unfinished:",
                "if False:",
            ),
        ),
        seeds(),
    ),
    Mutant(
        "outputs are published before the commit",
        (
            Patch(
                f"{ENGINE}lanes.py",
                "            following = await self._writer.commit(finish)\n",
                "            if isinstance(finish, TurnDone):\n"
                "                from agentopic.engine.outbox import _outgoing\n\n"
                "                await self._outbox._transport.send([_outgoing(row) for row in finish.outbox])\n"
                "            following = await self._writer.commit(finish)\n",
            ),
        ),
        seeds(40),
    ),
    Mutant(
        "there is no step journal",
        (
            Patch(
                f"{ENGINE}step_log.py",
                "        row = await self._writer.close_step(\n",
                "        return blob\n        row = await self._writer.close_step(\n",
            ),
        ),
        seeds(40),
    ),
    Mutant(
        "there is no lane lease",
        (
            Patch(
                f"{MEMORY}intake.py",
                "if lane is None or lane.owner is not None or lane.ready_at != at:",
                "if lane is None or lane.ready_at != at:",
            ),
            Patch(
                f"{MEMORY}store.py",
                "        lane.owner = me\n        lane.token = next(self.tokens)\n",
                "        lane.owner = me\n        self.set_ready(lane, self.now())\n"
                "        lane.token = next(self.tokens)\n",
            ),
        ),
        seeds(40),
    ),
    Mutant(
        "a commit does not compare tokens",
        (
            Patch(
                f"{MEMORY}commit.py",
                "(lane.owner, lane.token, lane.running) != (me, turn.token, turn.pos)",
                "(lane.owner, lane.running) != (me, turn.pos)",
            ),
        ),
        contract("commit", "test_a_wrong_token_is_lost"),
    ),
    Mutant(
        "a lane's release is decided in the statement that locks it",
        (
            Patch(
                "agentopic/adapters/journal/postgres/sql/commit.sql",
                "    PERFORM FROM lane WHERE id = ANY (lanes || sent_lanes) ORDER BY id FOR UPDATE;\n"
                "    lost := lost_turns",
                "    lost := lost_turns",
            ),
        ),
        Test("tests/integration/test_postgres_rules.py", "test_a_commit_that_waits_for_its_lane"),
    ),
    Mutant(
        "a repeated request does not get its stored answer",
        (
            Patch(
                f"{MEMORY}intake.py",
                "return () if answer is None else (store.add_process_row(me, reply_row(answer[0], address)),)",
                "return ()",
            ),
        ),
        contract("intake", "test_a_repeat_of_a_finished_request_sends_its_stored_answer_again"),
    ),
    Mutant(
        "an attempt is counted after its run",
        (
            Patch(f"{MEMORY}store.py", "            head.attempts += 1\n", "            pass\n"),
            Patch(
                f"{MEMORY}commit.py",
                "    delivery = lane.deliveries[turn.pos]\n    delay",
                "    delivery = lane.deliveries[turn.pos]\n    delivery.attempts += 1\n    delay",
            ),
        ),
        contract("take", "test_each_taking_counts_an_attempt_and_draws_a_new_token"),
    ),
    Mutant(
        "an instance is used again after a failed attempt",
        (
            Patch(
                f"{ENGINE}activation.py",
                'kept = self._kept.get(lane) if self._state == "process" else self._kept.pop(lane, None)',
                "kept = self._kept.get(lane)",
            ),
        ),
        seeds(40),
    ),
    Mutant(
        "a row is sent past an unsent one",
        (
            Patch(
                f"{ENGINE}outbox.py",
                "return (row.id if row.lane is None else row.lane, row.row.topic, row.row.key)",
                "return (row.id, row.row.topic, row.row.key)",
            ),
        ),
        seeds(600),
    ),
    Mutant(
        "a watermark is advanced from any value",
        (
            Patch(
                f"{MEMORY}marks.py",
                "if mark.next != advanced.known or mark.owner not in (None, me):",
                "if mark.owner not in (None, me):",
            ),
        ),
        contract("intake", "test_a_mark_advances_only_from_the_known_value"),
    ),
    Mutant(
        "a time-out is stored under an old token",
        (
            Patch(
                f"{MEMORY}steps.py",
                "if result.token is not None and not _holds(store, me, result):",
                "if False:",
            ),
        ),
        contract("parking", "test_a_result_under_the_wrong_token_is_not_stored"),
    ),
    Mutant(
        "the wall clock decides who is silent",
        (
            Patch(
                f"{ENGINE}liveness.py",
                "        asked = self._clock.monotonic()\n        peers =",
                "        asked = self._clock.now().timestamp()\n        peers =",
            ),
            Patch(
                f"{ENGINE}liveness.py",
                "        now = self._clock.monotonic()\n        if now - self._looked",
                "        now = self._clock.now().timestamp()\n        if now - self._looked",
            ),
        ),
        seeds(),
    ),
    # ── faults that a review once found ──
    Mutant(
        "rows decided by a commit nobody saw are not published",
        (Patch(f"{ENGINE}writer.py", "                self._publish(held.unsent)", "                pass"),),
        Test(WRITER, "test_rows_of_a_commit_whose_outcome_was_unknown"),
    ),
    Mutant(
        "rows acknowledged beside a refused turn are forgotten",
        (
            Patch(
                f"{ENGINE}writer.py",
                "        if sent:\n            await self._commit((), sent)",
                "        if False:\n            await self._commit((), sent)",
            ),
        ),
        Test(WRITER, "test_acknowledged_rows_are_dropped_even_beside_a_refused_turn"),
    ),
    Mutant(
        "lanes of a take nobody saw are forgotten",
        (
            Patch(
                f"{ENGINE}writer.py",
                "        self._adopt(Holdings(lanes=tuple(lanes.values()), rows=holdings.rows))",
                "        pass",
            ),
        ),
        Test(WRITER, "test_lanes_of_a_take_whose_outcome_was_unknown_are_adopted"),
    ),
    Mutant(
        "rows that an earlier holder left are not sent",
        (Patch(f"{ENGINE}lanes.py", "            self._outbox.add(started.unsent)\n", ""),),
        seeds(),
    ),
    Mutant(
        "a stale process makes outside calls",
        (Patch(f"{ENGINE}liveness.py", "        while not self._heartbeat.is_fresh():", "        while False:"),),
        Test("tests/simulation/test_fault_points.py", "a_call_before_which_its_process_stood_still"),
    ),
    Mutant(
        "silence during one's own outage proves something",
        (
            Patch(
                f"{ENGINE}liveness.py",
                "        if now - self._looked > self._lease / 2:",
                "        if False:",
            ),
        ),
        Test("tests/unit/engine/test_liveness.py", "test_silence_during_an_outage_of_ones_own_proves_nothing"),
    ),
    Mutant(
        "rows of a buried process are left to nobody",
        (Patch(f"{ENGINE}liveness.py", "        self._outbox.add(rows)", "        pass"),),
        seeds(600),
    ),
    # ── control ──
    Mutant(
        "a paused agent is given what comes in",
        (
            Patch(
                f"{MEMORY}intake.py",
                "        if lane.paused:\n            continue\n",
                "",
            ),
        ),
        seeds(400),
    ),
    Mutant(
        "a second answer replaces the first",
        (
            Patch(
                f"{MEMORY}control.py",
                'if entry is None or entry.row.kind != "human" or entry.row.result is not None:',
                'if entry is None or entry.row.kind != "human":',
            ),
        ),
        seeds(400),
    ),
    # ── what is kept for speed ──
    Mutant(
        "a kept delivery is served whatever its row says",
        (
            Patch(
                f"{ENGINE}kept_deliveries.py",
                "if kept.head == started.head and kept.delivery.record.value == started.body:",
                "if True:",
            ),
        ),
        Test(KEPT, "test_a_row_with_other_bytes or test_a_row_with_another_head"),
    ),
    Mutant(
        "a kept delivery is served to the next attempt, too",
        (
            Patch(
                f"{ENGINE}kept_deliveries.py",
                "kept = self._kept.pop(started.identity, None)",
                "kept = self._kept.get(started.identity)",
            ),
        ),
        Test(KEPT, "test_a_later_attempt_is_read_from_its_row"),
    ),
    Mutant(
        "a repeat replaces what is kept of the delivery that was stored",
        (Patch(f"{ENGINE}kept_deliveries.py", "if incoming.identity not in self._kept:", "if True:"),),
        Test(KEPT, "test_a_repeat_does_not_take_the_place_of_what_came_first"),
    ),
    Mutant(
        "nobody is told that there is no room to keep more",
        (
            Patch(
                f"{ENGINE}kept_deliveries.py", "                    return False\n", "                    return True\n"
            ),
        ),
        Test(KEPT, "test_without_room_those_that_came_first_stay"),
    ),
)
