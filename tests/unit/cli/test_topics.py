from __future__ import annotations

import json

from agentopic.cli.exits import Exit

from .conftest import Cli

OWNED = [
    "agentopic.agent.clerk",
    "agentopic.control.clerk",
    "agentopic.dead.clerk",
    "agentopic.replies",
    "agentopic.runs",
    "agentopic.topic.invoice",
    "agentopic.topic.order",
]


def test_plan_shows_what_is_missing_and_creates_nothing(cli: Cli, shop: str):
    planned = cli("topics", "plan", shop, "--output", "json")
    listed = cli("topics", "list", "--output", "json")

    assert [row["topic"] for row in json.loads(planned.out)] == OWNED
    assert {row["status"] for row in json.loads(planned.out)} == {"create"}
    assert json.loads(listed.out) == []


def test_apply_creates_and_is_idempotent(cli: Cli, shop: str):
    first = cli("topics", "apply", shop, "--output", "json")
    second = cli("topics", "apply", shop, "--output", "json")
    listed = cli("topics", "list", "--output", "json")

    assert {row["status"] for row in json.loads(first.out)} == {"created"}
    assert {row["status"] for row in json.loads(second.out)} == {"exists"}
    assert [row["topic"] for row in json.loads(listed.out)] == OWNED
    assert {(row["kind"], row["name"]) for row in json.loads(listed.out)} >= {("topic", "order"), ("replies", None)}


def test_other_partitions_are_a_conflict(cli: Cli, shop: str, monkeypatch):
    cli("topics", "apply", shop)
    monkeypatch.setenv("AGENTOPIC_PARTITIONS", "3")

    ended = cli("topics", "apply", shop, "--output", "json")

    assert ended.code == Exit.CONFLICT
    assert {row["status"] for row in json.loads(ended.out)} == {"has 8 partitions"}


def test_planning_for_kafka_asks_for_no_journal(cli: Cli, shop: str):
    ended = cli("topics", "plan", shop, "--transport", "kafka://localhost:1,x")

    assert "kafka://host:port" in ended.err


def test_topics_of_other_namespaces_are_shown_on_request(cli: Cli, shop: str):
    cli("topics", "apply", shop, "--namespace", "other")

    own = json.loads(cli("topics", "list", "--output", "json").out)
    every = json.loads(cli("topics", "list", "--all", "--output", "json").out)

    assert own == []
    assert len(every) == len(OWNED)


def test_a_table_has_a_row_per_topic(cli: Cli, shop: str):
    out = cli("topics", "plan", shop).out

    assert out.splitlines()[0].split() == ["topic", "partitions", "replication", "config", "status"]
    assert len(out.splitlines()) == 1 + len(OWNED)
