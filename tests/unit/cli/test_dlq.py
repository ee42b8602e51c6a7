"""`agentopic dlq` on letters that lie in the log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agentopic import wiring
from agentopic.cli.exits import Exit
from agentopic.cli.letter_choice import parse_since
from agentopic.core import AgentId
from agentopic.engine.deadletters import dead_letter
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record, encode
from agentopic.errors import ConfigError
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord, Reader, Record, TopicPartition
from agentopic.settings import Settings

from .conftest import Cli, Ended

DEAD, REQUESTS = "agentopic.dead.clerk", "agentopic.agent.clerk"
NOW = datetime.now(UTC)


def letter(
    number: int,
    *,
    error: Exception | None = None,
    value: bytes = b'{"item": "tea"}',
    headers: tuple[tuple[str, bytes], ...] = (),
    ago: timedelta = timedelta(),
    valid: bool = True,
    agent_type: str = "clerk",
) -> OutgoingRecord:
    """Return a dead letter of the clerk `c<number>`."""
    event = Envelope(
        id=f"e{number}", source=f"/shop/{number}", type="shop.Order.v1", subject=f"c{number}",
        datacontenttype="application/json", data=value,
    )  # fmt: skip
    message = encode(event, key=b"k")
    record = Record(
        topic="agentopic.topic.order",
        partition=0,
        offset=number,
        timestamp_ms=0,
        key=b"k",
        value=message.value,
        headers=(message.headers if valid else ()) + headers,
    )
    row = dead_letter(
        record,
        topic=f"agentopic.dead.{agent_type}",
        group=f"agentopic.{agent_type}",
        error=error or ValueError("sold out"),
        attempts=3,
        now=NOW - ago,
        agent=AgentId(agent_type, f"c{number}") if valid else None,
    )
    return OutgoingRecord(topic=row.topic, key=row.key, value=row.value, headers=row.headers, partition=0)


def lay(*letters: OutgoingRecord) -> None:
    """Create the topics of the types concerned and put letters into them."""

    async def act() -> None:
        wires = wiring.transport_of(Settings().transport)
        await wires.transport.start()
        topics = {DEAD, REQUESTS} | {each.topic for each in letters}
        await wires.admin.create([TopicSpec(name=name, partitions=2) for name in sorted(topics)])
        if letters:
            await wires.transport.send(letters)
        await wires.transport.aclose()
        await wires.admin.aclose()

    asyncio.run(act())


def sent_to(topic: str) -> Sequence[Record]:
    """Return what a topic holds."""

    async def act() -> Sequence[Record]:
        wires = wiring.transport_of(Settings().transport)
        await wires.transport.start()
        reader = await wires.transport.reader("test")
        await reader.assign({TopicPartition(topic, number): 0 for number in range(2)})
        records = [record async for record in _all(reader)]
        await reader.aclose()
        await wires.transport.aclose()
        await wires.admin.aclose()
        return records

    return asyncio.run(act())


async def _all(reader: Reader) -> AsyncGenerator[Record]:
    while batch := await reader.read(100, 0.1):
        for record in batch:
            yield record


def rows(ended: Ended) -> list[dict[str, Any]]:
    assert ended.code in {Exit.DONE, Exit.PARTLY}, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def listed(cli: Cli, *arguments: str) -> list[str]:
    return [row["letter"] for row in rows(cli("dlq", "list", *arguments, "-o", "jsonl"))]


# ── list ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_letters_are_listed_with_their_facts_and_counts_by_reason(cli: Cli):
    lay(letter(1), letter(2, error=KeyError("x")), letter(3))

    ended = cli("dlq", "list", "clerk", "-o", "jsonl")

    (first, *_) = rows(ended)
    assert first == {
        "letter": "0:0", "agent_type": "clerk", "agent": "clerk/c1", "status": "open",
        "time": NOW.isoformat(timespec="seconds"), "first": NOW.isoformat(timespec="seconds"),
        "reason": "ValueError", "message": "sold out", "attempts": 3, "redrive": 0, "event_type": "shop.Order.v1",
        "source": "/shop/1", "id": "e1", "subject": "c1", "run": "e1",
        "origin": "agentopic.topic.order[0]@1", "fault": None,
    }  # fmt: skip
    assert "3 letters: 2 ValueError, 1 KeyError" in ended.err


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (("--reason", "KeyError"), ["0:1"]),
        (("--type", "shop.Order.v1"), ["0:0", "0:1"]),
        (("--type", "shop.Other.v1"), []),
        (("--key", "c2"), ["0:1"]),
        (("--source", "/shop/1"), ["0:0"]),
        (("--id", "e2", "--reason", "ValueError"), []),
        (("--since", "1h"), ["0:1", "0:2"]),
        (("--limit", "1"), ["0:2"]),
    ],
)
def test_filters_choose(cli: Cli, filters: tuple[str, ...], found: list[str]):
    lay(letter(1, ago=timedelta(hours=2)), letter(2, error=KeyError("x")), letter(3, valid=False))

    assert listed(cli, *filters) == found


def test_without_a_type_all_are_listed(cli: Cli):
    lay(letter(1, ago=timedelta(hours=1)), letter(2, agent_type="other"))

    assert [row["agent_type"] for row in rows(cli("dlq", "list", "-o", "jsonl"))] == ["clerk", "other"]


def test_counts_alone(cli: Cli):
    lay(letter(1), letter(2, error=KeyError("x")), letter(3))

    found = rows(cli("dlq", "list", "--counts", "-o", "jsonl"))

    assert [(row["reason"], row["letters"]) for row in found] == [("ValueError", 2), ("KeyError", 1)]


def test_a_table_shows_the_same_shortened(cli: Cli):
    lay(letter(1, error=ValueError("long " * 100)))

    table = cli("dlq", "list", "clerk").out.splitlines()

    assert table[0].split()[:2] == ["letter", "time"]
    assert "…" in table[1]


def test_a_letter_cannot_steer_the_terminal(cli: Cli):
    lay(letter(1, error=ValueError("\x1b[2J\x9b gone"), value=b"\x1b]0;title\x07"))

    out = cli("dlq", "list").out + cli("dlq", "show", "clerk", "0:0").out

    assert not any(code in out for code in ("\x1b", "\x9b", "\x07"))
    assert "\\x1b[2J" in out


def test_a_type_that_never_was_here_is_not_found(cli: Cli):
    lay()

    ended = cli("dlq", "list", "nobody")

    assert ended.code == Exit.NOT_FOUND
    assert "'agentopic.dead.nobody' does not exist" in ended.err


@pytest.mark.parametrize("text", ["yesterday", "5w", "9999999999d", "999999999d"])
def test_a_wrong_time_is_said(text: str):
    with pytest.raises(ConfigError, match="--since"):
        parse_since(text)


def test_times_are_moments_or_as_long_ago():
    assert parse_since("2026-01-31T12:00:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    ago = parse_since("2h")
    assert ago is not None
    assert timedelta(hours=2) <= datetime.now(UTC) - ago < timedelta(hours=2, minutes=5)


# ── show ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_letter_is_shown_whole(cli: Cli):
    lay(letter(1, headers=(("trace", b"\xff\x00"),)))

    (shown,) = rows(cli("dlq", "show", "clerk", "0:0", "-o", "jsonl"))

    assert shown["facts"]["reason"] == "ValueError"
    assert shown["key"] == "k"
    assert ["ce_id", "e1"] in shown["headers"]
    assert ["trace", "base64:/wA="] in shown["headers"]
    assert (shown["value"], shown["value_bytes"]) == ('{"item": "tea"}', 15)


def test_secrets_are_not_shown(cli: Cli):
    secrets = (("authorization", b"Bearer abcdefghijkl"), ("x-api-key", b"hush"), ("note", b"sk-abcdefghijklmnop"))
    nested = b'{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"t":"sk-abcdefghijklmnop"}}}}}}}, "password": "hush", "n": 1}'
    lay(letter(1, headers=secrets, value=nested), letter(2, value=b"key sk-abcdefghijklmnop"))

    ended = cli("dlq", "show", "clerk", "0:0", "0:1", "-o", "json")

    assert ended.code == Exit.DONE
    assert not any(secret in ended.out for secret in ("hush", "abcdefghijkl"))
    assert '"n": 1' in json.loads(ended.out)[0]["value"]


@pytest.mark.parametrize("value", [b'{"item": "' + b"x" * 5000 + b'"}', b"y" * 5000, b"\xff" * 5000])
def test_much_data_is_cut(cli: Cli, value: bytes):
    lay(letter(1, value=value))

    (shown,) = rows(cli("dlq", "show", "clerk", "0:0", "--max-bytes", "100", "-o", "jsonl"))

    assert len(shown["value"]) <= 150
    assert shown["value_bytes"] == len(value)


def test_the_exact_bytes_are_to_be_had(cli: Cli):
    lay(letter(1, value=b"sk-abcdefghijklmnop\n"))

    assert cli("dlq", "show", "clerk", "0:0", "--bytes").out == "sk-abcdefghijklmnop\n"


def test_a_table_shows_field_by_field(cli: Cli):
    lay(letter(1))

    out = cli("dlq", "show", "clerk", "0:0").out

    assert "header ce_id" in out
    assert "agentopic.dead.reason" in out


@pytest.mark.parametrize(("name", "says"), [("0:9", "there is no dead letter '0:9'"), ("x", "PARTITION:OFFSET")])
def test_a_letter_that_is_not_there_is_not_found(cli: Cli, name: str, says: str):
    lay(letter(1))

    ended = cli("dlq", "show", "clerk", name)

    assert ended.code == Exit.NOT_FOUND
    assert says in ended.err


# ── redrive ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flags", [(), ("--dry-run",), ("--yes", "--dry-run")])
def test_without_yes_it_is_only_shown(cli: Cli, flags: tuple[str, ...]):
    lay(letter(1))

    ended = cli("dlq", "redrive", "clerk", *flags, "-o", "jsonl")

    (row,) = rows(ended)
    assert (row["status"], row["to"], row["redrive"]) == ("would be redriven", REQUESTS, 1)
    assert "nothing was done" in ended.err
    assert sent_to(REQUESTS) == []
    assert listed(cli) == ["0:0"]


def test_letters_are_sent_to_the_agent_type_and_noted(cli: Cli):
    lay(letter(1), letter(2))

    ended = cli("dlq", "redrive", "clerk", "--yes", "--actor", "ann", "--because", "fixed", "-o", "jsonl")

    assert ended.code == Exit.DONE
    assert [row["status"] for row in rows(ended)] == ["redriven", "redriven"]
    events = [decode_record(each.headers, each.value) for each in sent_to(REQUESTS)]
    assert sorted((each.id, each.agredrive, each.agtargetkey) for each in events) == [("e1", 1, "c1"), ("e2", 1, "c2")]
    assert listed(cli) == []
    noted = rows(cli("dlq", "list", "clerk", "--all", "-o", "jsonl"))
    assert [(each["settled"]["actor"], each["settled"]["why"]) for each in noted] == [("ann", "fixed")] * 2


def test_a_letter_that_was_redriven_is_not_sent_again(cli: Cli):
    lay(letter(1))
    cli("dlq", "redrive", "clerk", "--yes", "--actor", "ann")

    again = cli("dlq", "redrive", "clerk", "0:0", "--yes", "-o", "jsonl")

    (row,) = rows(again)
    assert row["status"] == "already redriven"
    assert "by ann" in row["detail"]
    assert len(sent_to(REQUESTS)) == 1


def test_what_cannot_be_redriven_is_said_and_the_rest_is_done(cli: Cli):
    lay(letter(1, valid=False), letter(2))

    ended = cli("dlq", "redrive", "clerk", "--yes", "-o", "jsonl")

    assert ended.code == Exit.PARTLY
    assert sorted(row["status"] for row in rows(ended)) == ["cannot be redriven", "redriven"]
    assert "1 cannot be redriven" in ended.err


def test_only_so_many_the_oldest_first(cli: Cli):
    lay(letter(1), letter(2, ago=timedelta(hours=2)), letter(3, ago=timedelta(hours=1)))

    ended = cli("dlq", "redrive", "clerk", "--limit", "2", "--yes", "--rate", "1000", "-o", "jsonl")

    assert [row["id"] for row in rows(ended)] == ["e2", "e3"]
    assert listed(cli) == ["0:0"]


def test_fresh_is_told_to_the_agent(cli: Cli):
    lay(letter(1))

    cli("dlq", "redrive", "clerk", "--yes", "--fresh")

    (record,) = sent_to(REQUESTS)
    assert decode_record(record.headers, record.value).extensions["agfresh"] == "1"


def test_many_letters_go_in_batches(cli: Cli):
    lay(*(letter(number) for number in range(250)))

    ended = cli("dlq", "redrive", "clerk", "--yes")

    assert "250 redriven" in ended.err
    assert len(sent_to(REQUESTS)) == 250
    assert listed(cli) == []


def test_an_agent_type_whose_topic_is_gone_is_not_found(cli: Cli):
    lay(letter(1, agent_type="gone"))

    ended = cli("dlq", "redrive", "gone", "--yes")

    assert ended.code == Exit.NOT_FOUND
    assert "agentopic.agent.gone" in ended.err


def test_no_letters_is_no_error(cli: Cli):
    lay()

    ended = cli("dlq", "redrive", "clerk", "--yes")

    assert ended.code == Exit.DONE
    assert "no letters" in ended.err


# ── discard ────────────────────────────────────────────────────────────────────────────────────────────────


def test_discarded_letters_are_out_of_sight_and_still_there(cli: Cli):
    lay(letter(1), letter(2, valid=False))

    shown = cli("dlq", "discard", "clerk", "-o", "jsonl")
    done = cli("dlq", "discard", "clerk", "0:1", "--yes", "--because", "junk", "-o", "jsonl")

    assert [row["status"] for row in rows(shown)] == ["would be discarded"] * 2
    assert [row["status"] for row in rows(done)] == ["discarded"]
    assert listed(cli) == ["0:0"]
    assert [row["status"] for row in rows(cli("dlq", "list", "--all", "-o", "jsonl"))] == ["open", "discarded"]
    assert "junk" in cli("dlq", "list", "--all").out


def test_discarding_twice_says_so(cli: Cli):
    lay(letter(1))
    cli("dlq", "discard", "clerk", "--yes")

    again = cli("dlq", "discard", "clerk", "0:0", "--yes", "-o", "jsonl")

    assert [row["status"] for row in rows(again)] == ["already discarded"]


def test_a_discarded_letter_can_be_redriven_by_its_name(cli: Cli):
    lay(letter(1))
    cli("dlq", "discard", "clerk", "--yes")

    unnamed = cli("dlq", "redrive", "clerk", "--yes", "-o", "jsonl")
    named = cli("dlq", "redrive", "clerk", "0:0", "--yes", "-o", "jsonl")

    assert rows(unnamed) == []
    assert [row["status"] for row in rows(named)] == ["redriven"]
    assert [row["status"] for row in rows(cli("dlq", "list", "--all", "-o", "jsonl"))] == ["redriven"]
