"""Dead letters read back, sent again to the agent that failed, settled once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentopic import step
from agentopic.core import AgentId, MessageContext, TopicId
from agentopic.engine.deadletters import dead_letter
from agentopic.engine.delivery import identity
from agentopic.engine.letter_desk import Errand, LetterDesk
from agentopic.engine.letters import DeadLetter, LetterBox, LetterState, read_letter
from agentopic.engine.redrive import plan_redrive, redriven_record
from agentopic.engine.runtime import EngineRuntime
from agentopic.engine.settlements import Settlement, read_settlement, settlement_record
from agentopic.envelope import Envelope
from agentopic.envelope.content_mode import ContentMode
from agentopic.envelope.kafka import decode_record, encode
from agentopic.errors import RecordRefusedError, RedriveError, RequestError
from agentopic.ports.journal import OutboxRow
from agentopic.ports.transport import Headers, OutgoingRecord, Record

from .town import NS, Handler, Note, Resident, Town, fact, nothing, seeing, topic, until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAX = 1024 * 1024
CLERK = AgentId("clerk", "k")


def event(**changes: Any) -> Envelope:
    """Return an event as an outside publisher sends it."""
    made = Envelope(
        id="e1",
        source="/outside",
        type="town.Note.v1",
        datacontenttype="application/json",
        data=b'{"text":"hi"}',
    )
    return made.replace(**changes)


def arrived(
    envelope: Envelope,
    *,
    where: str = "topic.clerk",
    key: bytes | None = b"k",
    mode: ContentMode = ContentMode.BINARY,
    extra: Headers = (),
) -> Record:
    """Return the record of an event, as an agent type reads it."""
    message = encode(envelope, key=key, mode=mode)
    headers = message.headers + extra
    return Record(
        topic=f"{NS}.{where}", partition=2, offset=7, timestamp_ms=5, key=key, value=message.value, headers=headers
    )


def buried(
    record: Record, *, agent: AgentId | None = CLERK, now: datetime = NOW, place: int = 0, partition: int = 1
) -> Record:
    """Return the dead letter of a record, as it lies in its topic."""
    row = dead_letter(
        record, topic=f"{NS}.dead.clerk", group=f"{NS}.clerk", error=ValueError("no"), attempts=3, now=now, agent=agent
    )
    return lying(row, place=place, partition=partition)


def lying(row: OutboxRow | OutgoingRecord, *, place: int = 0, partition: int = 1) -> Record:
    return Record(
        topic=row.topic,
        partition=partition,
        offset=place,
        timestamp_ms=9,
        key=row.key,
        value=row.value,
        headers=row.headers,
    )


def letter_of(record: Record) -> DeadLetter:
    letter = read_letter(record, "clerk", MAX)
    assert letter is not None
    return letter


def again(record: Record, *, fresh: bool = False, now: datetime = NOW) -> OutgoingRecord:
    """Return what redriving a letter sends."""
    plan = plan_redrive(letter_of(record), namespace=NS, now=now)
    return redriven_record(record, plan, partitions=4, fresh=fresh, now=now, max_bytes=MAX)


def read(record: OutgoingRecord) -> Envelope:
    return decode_record(record.headers, record.value)


def note_about(partition: int, offset: int, **changes: Any) -> Record:
    settlement = Settlement(partition=partition, offset=offset, action="redriven", actor="ann", time=NOW, **changes)
    row = settlement_record(settlement, topic=f"{NS}.dead.clerk", key=b"k", namespace=NS, now=NOW)
    return lying(row, place=99, partition=partition)


# ── facts ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_death_is_remembered_through_redrives():
    first = buried(arrived(event()))

    sent = again(first)
    second = buried(lying(sent), now=NOW + timedelta(days=1))

    assert fact(second, "first") == fact(first, "time")
    assert fact(second, "time") != fact(first, "time")
    assert [name for name, _ in sent.headers if name.startswith("agentopic.dead.")] == ["agentopic.dead.first"]


@pytest.mark.parametrize("said", [b"\xff", b"soon", b"2026-01-01T00:00:00", b"2999-01-01T00:00:00+00:00"])
def test_what_an_outsider_calls_the_first_death_is_not_believed(said: bytes):
    record = buried(arrived(event(), extra=(("agentopic.dead.first", said),)))

    assert fact(record, "first") == NOW.isoformat()


def test_a_letter_says_whose_handler_failed():
    letter = letter_of(buried(arrived(event()), agent=AgentId("clerk", "a/b")))

    assert letter.agent == AgentId("clerk", "a/b")


@pytest.mark.parametrize(
    ("envelope", "where", "key", "expected"),
    [
        (event(subject="ann"), "topic.clerk", b"k", "ann"),
        (event(), "topic.clerk", b"k", "k"),
        (event(), "topic.clerk", None, "e1"),
        (event().with_extensions(agtargetkey="bob"), "topic.clerk", b"k", "k"),
        (event().with_extensions(agtargetkey="bob"), "agent.clerk", b"k", "bob"),
    ],
)
def test_without_that_fact_the_agent_is_the_one_it_would_have_been_routed_to(
    envelope: Envelope, where: str, key: bytes | None, expected: str
):
    letter = letter_of(buried(arrived(envelope, where=where, key=key), agent=None))

    assert letter.agent == AgentId("clerk", expected)


# ── the record that is sent ────────────────────────────────────────────────────────────────────────────────


def test_bytes_key_and_headers_stay_and_the_facts_come_off():
    original = arrived(event(), extra=(("trace", b"\xff\x00"), ("trace", b"2")))

    sent = again(buried(original))

    assert (sent.topic, sent.key, sent.value) == (f"{NS}.agent.clerk", original.key, original.value)
    kept = [header for header in sent.headers if header in original.headers]
    assert kept == list(original.headers)
    added = {name: value for name, value in sent.headers if (name, value) not in original.headers}
    assert added == {
        "ce_agredrive": b"1",
        "ce_agtargettype": b"clerk",
        "ce_agtargetkey": b"k",
        "ce_agtopictype": b"clerk",
        "ce_agtopicsource": b"k",
        "agentopic.dead.first": NOW.isoformat().encode(),
    }


def test_its_identity_is_another_one_so_that_it_is_no_repeat_and_the_same_each_time():
    letter = buried(arrived(event()))

    once, twice = read(again(letter)), read(again(letter))

    assert identity(CLERK, once) == identity(CLERK, twice) != identity(CLERK, event())


def test_the_redrive_number_rises_with_every_death():
    sent = again(buried(lying(again(buried(arrived(event()))))))

    assert read(sent).agredrive == 2
    assert [name for name, _ in sent.headers].count("ce_agredrive") == 1


@pytest.mark.parametrize("mode", list(ContentMode))
def test_an_event_keeps_its_meaning_in_both_modes(mode: ContentMode):
    original = event(subject="ann").with_extensions(aghops=3, other="x")

    sent = again(buried(arrived(original, mode=mode, extra=(("trace", b"1"),)), agent=AgentId("clerk", "ann")))

    envelope = read(sent)
    assert (envelope.id, envelope.source, envelope.subject, envelope.aghops) == ("e1", "/outside", "ann", 3)
    assert json.loads(envelope.data or b"") == {"text": "hi"}
    assert (envelope.agredrive, envelope.agtargetkey, envelope.agtopictype) == (1, "ann", "clerk")
    assert envelope.extensions["other"] == "x"
    assert ("trace", b"1") in sent.headers


def test_fresh_names_the_redrive_from_which_steps_count_and_later_redrives_keep_it():
    fresh = again(buried(lying(again(buried(arrived(event()))))), fresh=True)
    later = again(buried(lying(fresh)))

    assert read(fresh).extensions["agfresh"] == "2"
    assert read(later).extensions["agfresh"] == "2"
    assert read(later).agredrive == 3


def test_letters_of_one_agent_go_to_one_partition_whatever_their_keys_are():
    letters = [buried(arrived(event(), key=key)) for key in (b"k", b"other", None)]

    assert len({again(letter).partition for letter in letters}) == 1


def request(**extensions: Any) -> Envelope:
    given = {"agmsgkind": "request", "agrequestid": "r1", "agreplyto": f"{NS}.replies/3", "agtargetkey": "k"}
    return event().with_extensions(**{**given, **extensions})


def test_a_request_keeps_its_reply_address_while_its_deadline_is_not_over():
    sent = read(again(buried(arrived(request(expirytime="2026-03-01T12:00:01Z"), where="agent.clerk"))))

    assert (sent.agmsgkind, sent.agrequestid, sent.agreplyto) == ("request", "r1", f"{NS}.replies/3")
    assert sent.expirytime is not None
    assert sent.agtopictype is None


def test_after_its_deadline_a_request_is_handled_for_nobody():
    record = buried(arrived(request(expirytime="2026-03-01T11:59:59Z"), where="agent.clerk"))

    sent = read(again(record))

    assert plan_redrive(letter_of(record), namespace=NS, now=NOW).unanswered
    assert (sent.agmsgkind, sent.agreplyto, sent.expirytime) == ("request", None, None)


def test_what_calls_itself_a_request_on_a_topic_is_none():
    assert read(again(buried(arrived(request())))).agmsgkind == "publish"


def test_an_output_the_broker_refused_goes_where_it_was_meant_to_with_the_same_identity():
    row = dead_letter(
        Record(
            topic=f"{NS}.topic.out",
            partition=-1,
            offset=-1,
            timestamp_ms=-1,
            key=b"k",
            value=b"v",
            headers=arrived(event()).headers,
        ),
        topic=f"{NS}.dead.clerk",
        group=f"{NS}.clerk",
        error=RecordRefusedError("too large"),
        attempts=1,
        now=NOW,
    )

    sent = again(lying(row))

    assert (sent.topic, sent.partition, sent.key, sent.value) == (f"{NS}.topic.out", None, b"k", b"v")
    assert sent.headers == arrived(event()).headers


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (Record(topic=f"{NS}.topic.clerk", partition=0, offset=0, timestamp_ms=0, key=None, value=b"\xfe"), "no event"),
        (arrived(event(), where="control.clerk"), "no delivery"),
        (arrived(event().with_extensions(agredrive=2**31 - 1)), "highest"),
    ],
)
def test_what_cannot_be_redriven_says_why(record: Record, says: str):
    with pytest.raises(RedriveError, match=says):
        again(buried(record, agent=None))


def test_a_letter_of_another_type_is_not_sent_to_this_one():
    with pytest.raises(RedriveError, match="names no agent of the type"):
        again(buried(arrived(event()), agent=AgentId("other", "k")))


# ── the box ────────────────────────────────────────────────────────────────────────────────────────────────


def states(*records: Record) -> Sequence[LetterState]:
    box = LetterBox("clerk", MAX)
    for record in records:
        box.add(record)
    return box.states()


def test_letters_are_open_until_a_note_settles_them():
    letters = [buried(arrived(event(id=f"e{place}")), place=place) for place in range(3)]

    found = states(*letters, note_about(1, 1, why="fixed", redrive=1))

    assert [(each.letter.id, each.status) for each in found] == [("1:0", "open"), ("1:1", "redriven"), ("1:2", "open")]
    assert found[1].settlement is not None
    assert (found[1].settlement.actor, found[1].settlement.why) == ("ann", "fixed")


def test_a_letter_written_twice_is_one_and_either_note_settles_it():
    letter = arrived(event())

    found = states(buried(letter, place=0), buried(letter, place=1), note_about(1, 1))

    assert [(each.letter.id, each.status) for each in found] == [("1:0", "redriven")]


def test_a_later_letter_shows_that_an_earlier_one_was_redriven_though_nobody_noted_it():
    first = buried(arrived(event()))
    second = buried(lying(again(first)), place=1, now=NOW + timedelta(seconds=1))

    assert [each.status for each in states(first, second)] == ["redriven", "open"]


def test_the_same_event_may_die_at_several_agents_of_a_type():
    record = arrived(event())

    found = states(
        buried(record, agent=AgentId("clerk", "a")),
        buried(record, agent=AgentId("clerk", "b"), place=1, now=NOW + timedelta(seconds=1)),
    )

    assert [each.status for each in found] == ["open", "open"]


def test_an_event_that_dies_again_after_its_letter_was_settled_is_open():
    record = arrived(event())

    found = states(buried(record), note_about(1, 0), buried(record, place=2, now=NOW + timedelta(days=8)))

    assert [each.status for each in found] == ["redriven", "open"]


@pytest.mark.parametrize("value", [b"", b"{", b"{}", b'{"partition":0,"offset":0,"action":"redriven","actor":"a"}'])
def test_a_note_that_cannot_be_read_settles_nothing(value: bytes):
    headers = (("agentopic.dead.settled", b"redriven"),)
    note = Record(topic="t", partition=1, offset=5, timestamp_ms=0, key=None, value=value, headers=headers)

    assert [each.status for each in states(buried(arrived(event())), note)] == ["open"]


def test_a_note_about_another_partition_settles_nothing():
    record = note_about(1, 0)
    moved = lying(OutgoingRecord(topic=record.topic, key=None, value=record.value, headers=record.headers), partition=0)

    assert read_settlement(moved) is None


def test_a_record_without_facts_is_no_letter():
    assert states(arrived(event())) == []


def test_an_event_cannot_pass_itself_off_as_a_note():
    forged = arrived(event(), extra=(("agentopic.dead.settled", b"redriven"),))

    assert [each.status for each in states(buried(forged))] == ["open"]


# ── through a mesh ─────────────────────────────────────────────────────────────────────────────────────────


def box_of(town: Town) -> LetterBox:
    box = LetterBox("clerk", MAX)
    for record in town.records("dead.clerk"):
        box.add(record)
    return box


def desk_of(runtime: EngineRuntime, transport: Any = None) -> LetterDesk:
    errand = Errand(actor="ann", why="fixed")
    return LetterDesk(
        transport or runtime.mesh.transport, runtime.mesh.clock, namespace=NS, errand=errand, max_bytes=MAX
    )


async def redrive_open(town: Town, desk: LetterDesk, runtime: EngineRuntime, *, fresh: bool = False) -> list[Any]:
    """Redrive every open letter of the clerk."""
    now = runtime.mesh.clock.now()
    records = {(each.partition, each.offset): each for each in town.records("dead.clerk")}
    due = [state.letter for state in box_of(town).states() if state.status == "open"]
    plans = [(plan_redrive(letter, namespace=NS, now=now), records[letter.place]) for letter in due]
    return list(await desk.redrive(plans, partitions=4, fresh=fresh))


async def started(town: Town, handler: Handler) -> EngineRuntime:
    runtime = town.runtime()
    await town.settle(runtime, "clerk", handler)
    await runtime.start()
    return runtime


class Broken:
    """A handler with a paid step, that fails until it is repaired."""

    def __init__(self) -> None:
        self.paid: list[str] = []
        self.done: list[tuple[str, TopicId | None]] = []
        self.repaired = False

    async def __call__(self, agent: Resident, message: Note, ctx: MessageContext) -> None:
        async def pay() -> str:
            self.paid.append(message.text)
            return "paid"

        await step("pay", pay)
        if not self.repaired:
            raise ValueError("not yet")
        self.done.append((message.text, ctx.topic_id))


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_redriven_event_is_done_once_with_the_steps_it_has_recorded_unless_fresh(town: Town, fresh: bool):
    handler = Broken()
    runtime = await started(town, handler)
    await runtime.publish_message(Note(text="a"), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")), "given up")
    handler.repaired = True

    errors = await redrive_open(town, desk_of(runtime), runtime, fresh=fresh)
    await runtime.stop_when_idle()

    assert errors == [None]
    assert handler.done == [("a", topic("clerk"))]
    assert handler.paid == ["a"] * (2 if fresh else 1)
    assert [each.status for each in box_of(town).states()] == ["redriven"]


async def test_after_a_fresh_redrive_its_own_steps_are_used_again(town: Town):
    handler = Broken()
    runtime = await started(town, handler)
    await runtime.publish_message(Note(text="a"), topic("clerk"))
    await until(lambda: len(town.records("dead.clerk")) == 1, "given up")
    await redrive_open(town, desk_of(runtime), runtime, fresh=True)
    await until(lambda: len(box_of(town).states()) == 2, "given up again")
    handler.repaired = True

    await redrive_open(town, desk_of(runtime), runtime)
    await runtime.stop_when_idle()

    assert handler.paid == ["a", "a"]
    assert handler.done == [("a", topic("clerk"))]


class Killed(BaseException):
    """The end of the process that redrives."""


class DyingTransport:
    """Sends what is to be redriven and dies before the notes."""

    def __init__(self, transport: Any) -> None:
        self._transport, self._calls = transport, 0

    async def send(self, records: Sequence[OutgoingRecord]) -> Any:
        self._calls += 1
        if self._calls > 1:
            raise Killed
        return await self._transport.send(records)


async def test_a_redrive_killed_half_way_and_repeated_does_each_letter_once(town: Town):
    handler = Broken()
    runtime = await started(town, handler)
    for number in range(20):
        await runtime.publish_message(Note(text=str(number)), topic("clerk", f"k{number}"))
    await until(lambda: len(town.records("dead.clerk")) == 20, "given up")
    handler.repaired = True

    with pytest.raises(Killed):
        await redrive_open(town, desk_of(runtime, DyingTransport(runtime.mesh.transport)), runtime)
    repeated = await redrive_open(town, desk_of(runtime), runtime)
    await runtime.stop_when_idle()

    assert repeated == [None] * 20
    assert sorted(text for text, _ in handler.done) == sorted(str(number) for number in range(20))
    assert len(handler.paid) == 20
    assert {each.status for each in box_of(town).states()} == {"redriven"}


async def test_other_types_that_read_the_topic_do_not_see_a_redriven_event(town: Town):
    handler, seen = Broken(), list[Note]()
    runtime = town.runtime()
    await town.settle(runtime, "clerk", handler)
    await town.settle(runtime, "auditor", seeing(seen), topic="clerk")
    await runtime.start()
    await runtime.publish_message(Note(text="a"), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")) and bool(seen), "given up by one, seen by the other")
    handler.repaired = True

    await redrive_open(town, desk_of(runtime), runtime)
    await runtime.stop_when_idle()

    assert len(handler.done) == len(seen) == 1


async def test_a_redriven_request_is_handled_as_the_request_it_was(town: Town):
    is_rpc, repaired = list[bool](), False

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        is_rpc.append(ctx.is_rpc)
        if not repaired:
            raise ValueError("not yet")
        return message

    runtime = await started(town, handle)
    with pytest.raises(RequestError):
        await runtime.send_message(Note(text="a"), AgentId("clerk", "k"))
    await until(lambda: bool(town.records("dead.clerk")), "given up")
    repaired = True

    await redrive_open(town, desk_of(runtime), runtime)
    await runtime.stop_when_idle()

    assert set(is_rpc) == {True}
    kinds = [each.agmsgkind for each in town.events("replies")]
    assert kinds == ["fault", "reply"]


async def test_a_redriven_caller_asks_again_what_ended_in_a_fault_and_pays_nothing_twice(town: Town):
    paid, repaired = list[str](), False

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        async def pay() -> str:
            paid.append(message.text)
            return "paid"

        await step("pay", pay)
        await agent.send_message(message, AgentId("bank", "b"))

    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        if not repaired:
            raise ValueError("closed")
        return message

    runtime = town.runtime()
    await town.settle(runtime, "clerk", ask)
    await town.settle(runtime, "bank", answer)
    await runtime.start()
    await runtime.publish_message(Note(text="a"), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")), "given up")
    repaired = True

    await redrive_open(town, desk_of(runtime), runtime)
    await runtime.stop_when_idle()

    assert paid == ["a"]
    assert [each.status for each in box_of(town).states()] == ["redriven"]


async def test_an_event_with_an_absurd_redrive_number_is_handled_in_bounded_time(town: Town):
    seen = list[Note]()
    runtime = await started(town, seeing(seen))
    absurd = event(subject="k").with_extensions(agredrive=2**31 - 1)

    await runtime.publish_envelope(absurd, topic("clerk"))
    await runtime.stop_when_idle()

    assert len(seen) == 1


async def test_discarding_settles_without_sending_anything(town: Town):
    runtime = await started(town, Broken())
    await runtime.publish_message(Note(text="a"), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")), "given up")
    (record,) = town.records("dead.clerk")

    await desk_of(runtime).discard([(letter_of(record), record)])
    await runtime.stop_when_idle()

    assert [each.status for each in box_of(town).states()] == ["discarded"]
    assert town.records("agent.clerk") == []


async def test_a_refused_record_is_reported_and_its_letter_stays_open(town: Town):
    class Refusing:
        async def send(self, records: Sequence[OutgoingRecord]) -> Any:
            return [RecordRefusedError("too large")] * len(records)

    runtime = await started(town, Broken())
    await runtime.publish_message(Note(text="a"), topic("clerk"))
    await until(lambda: bool(town.records("dead.clerk")), "given up")

    (error,) = await redrive_open(town, desk_of(runtime, Refusing()), runtime)

    assert isinstance(error, RecordRefusedError)
    assert [each.status for each in box_of(town).states()] == ["open"]


async def test_nothing_to_redrive_sends_nothing(town: Town):
    runtime = await started(town, nothing)

    assert await redrive_open(town, desk_of(runtime), runtime) == []
