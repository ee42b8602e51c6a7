from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agentopic import wiring
from agentopic.cli.exits import Exit
from agentopic.ports.admin import TopicSpec
from agentopic.ports.transport import OutgoingRecord
from agentopic.settings import Settings

from .conftest import Cli

TASKS = "agentopic.topic.task"


def on_log(*records: OutgoingRecord, topics: tuple[str, ...] = (TASKS,)) -> None:
    """Create topics and append records, as somebody else would."""

    async def act() -> None:
        wires = wiring.transport_of(Settings().transport)
        await wires.transport.start()
        await wires.admin.create([TopicSpec(name=topic, partitions=2) for topic in topics])
        if records:
            await wires.transport.send(records)
        await wires.transport.aclose()
        await wires.admin.aclose()

    asyncio.run(act())


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_published_event_is_a_cloudevent_that_tail_prints(cli: Cli):
    on_log()

    sent = cli("publish", "task", "--type", "demo.Task.v1", "--data", '{"n": 1}', "--subject", "s1", "--id", "e1")
    read = cli("tail", "task", "--from-beginning")

    assert sent.code == read.code == Exit.DONE
    assert lines(sent.out)[0] == {
        "id": "e1", "type": "demo.Task.v1", "topic": TASKS, "partition": lines(sent.out)[0]["partition"], "offset": 0,
    }  # fmt: skip
    (event,) = lines(read.out)
    assert (event["id"], event["type"], event["subject"]) == ("e1", "demo.Task.v1", "s1")
    assert event["source"] == "/agentopic/cli"
    assert event["data"] == {"n": 1}


def test_every_line_of_stdin_is_an_event(cli: Cli):
    on_log()

    sent = cli("publish", "task", "--type", "t", "--jsonl", "--count", "2", stdin='{"n": 1}\n\n{"n": 2}\n{"n": 3}\n')
    read = cli("tail", "task", "--from-beginning")

    assert len(lines(sent.out)) == 2
    assert sorted(event["data"]["n"] for event in lines(read.out)) == [1, 2]


def test_a_file_is_the_data(cli: Cli, folder: Path):
    on_log()
    (folder / "task.json").write_text('{"n": 7}\n')

    cli("publish", "task", "--type", "t", "--data", "@task.json")

    assert lines(cli("tail", "task", "--from-beginning").out)[0]["data"] == {"n": 7}


def test_other_content_travels_untouched(cli: Cli):
    on_log()

    cli("publish", "task", "--type", "t", "--content-type", "text/plain", stdin="not { json")

    (event,) = lines(cli("tail", "task", "--from-beginning").out)
    assert event["datacontenttype"] == "text/plain"
    assert event["data"] == "not { json"


def test_the_key_decides_the_partition(cli: Cli):
    on_log()

    sent = [cli("publish", "task", "--type", "t", "--data", "1", "--key", "k") for _ in range(3)]

    assert len({lines(each.out)[0]["partition"] for each in sent}) == 1
    assert [lines(each.out)[0]["offset"] for each in sent] == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--data", "{"), "the data is no JSON"),
        (("--data", "@missing.json"), "there is no file 'missing.json'"),
        (("--id", "e1", "--jsonl"), "--id names one event"),
    ],
)
def test_wrong_input_is_a_usage_error(cli: Cli, arguments: tuple[str, ...], says: str):
    on_log()

    ended = cli("publish", "task", "--type", "t", *arguments)

    assert ended.code == Exit.USAGE
    assert says in ended.err


@pytest.mark.parametrize("verb", [("tail", "nope"), ("publish", "nope", "--type", "t", "--data", "1")])
def test_a_missing_topic_is_not_found(cli: Cli, verb: tuple[str, ...]):
    on_log()

    ended = cli(*verb)

    assert ended.code == Exit.NOT_FOUND
    assert "'agentopic.topic.nope' does not exist" in ended.err


def test_what_is_no_cloudevent_is_shown_and_stops_nothing(cli: Cli):
    on_log(
        OutgoingRecord(topic=TASKS, key=b"k", value=b"\xff\x00", partition=0),
        OutgoingRecord(topic=TASKS, key=None, value=None, partition=0),
    )
    cli("publish", "task", "--type", "t", "--data", "1")

    read = cli("tail", "task", "--from-beginning")

    assert read.code == Exit.DONE
    faults = [line for line in lines(read.out) if "error" in line]
    assert [(line["topic"], line["partition"], line["offset"]) for line in faults] == [(TASKS, 0, 0), (TASKS, 0, 1)]
    assert faults[0]["value_base64"] == "/wA="
    assert len(lines(read.out)) == 3


def test_tail_reads_kafka_topics_by_their_own_names(cli: Cli):
    on_log(topics=("foreign",))

    assert cli("tail", "foreign", "--raw", "--from-beginning").code == Exit.DONE


def test_tail_ends_after_so_many_events(cli: Cli):
    on_log()
    cli("publish", "task", "--type", "t", "--jsonl", stdin="1\n2\n3\n")

    assert len(lines(cli("tail", "task", "--from-beginning", "--follow", "--max", "2").out)) == 2


def test_tail_reads_several_topics(cli: Cli):
    on_log(topics=(TASKS, "agentopic.topic.report"))
    cli("publish", "task", "--type", "t", "--data", "1")
    cli("publish", "report", "--type", "r", "--data", "2")

    types = {event["type"] for event in lines(cli("tail", "task", "report", "--from-beginning").out)}

    assert types == {"t", "r"}


def test_an_event_stays_on_one_line(cli: Cli):
    on_log()
    cli("publish", "task", "--type", "t", "--data", '{\n "n": 1\n}')

    assert len(cli("tail", "task", "--from-beginning").out.splitlines()) == 1


def test_people_get_a_table_line(cli: Cli):
    on_log(OutgoingRecord(topic=TASKS, key=b"k", value=b"?", partition=0))
    cli("publish", "task", "--type", "demo.Task.v1", "--data", '{"n": 1}', "--subject", "s1")

    out = cli("tail", "task", "--from-beginning", "--output", "table").out

    assert 'demo.Task.v1  s1  {"n": 1}' in out
    assert "no CloudEvent" in out


def test_waiting_for_a_topic_ends_with_not_found(cli: Cli):
    on_log()

    ended = cli("tail", "late", "--wait", "0.1")

    assert ended.code == Exit.NOT_FOUND
    assert "waiting for topic agentopic.topic.late" in ended.err
