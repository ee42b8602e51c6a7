from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agentopic.adapters.journal.sqlite import SqliteJournal, SqliteOptions
from agentopic.engine.ledger import run_scope, type_scope
from agentopic.envelope.kafka_topics import consumer_group
from agentopic.ports.journal import Spend

from .conftest import Cli

TODAY = datetime.now(UTC).date()
GROUP = consumer_group("agentopic", "analyst")


@pytest.fixture
def spent(folder: Path) -> None:
    """A journal in which a run and an agent type have spent something."""
    asyncio.run(_spend(folder / ".agentopic" / "agentopic.db"))


async def _spend(path: Path) -> None:
    path.parent.mkdir(parents=True)
    journal = SqliteJournal(SqliteOptions(path=path))
    await journal.start()
    me = await journal.join([GROUP], "here")
    counts = {"calls": 3, "saved": 1, "input_tokens": 2000, "output_tokens": 100, "micros": 1_250_000, "unpriced": 1}
    await journal.spend(me, [Spend(scope=each, **counts) for each in (run_scope("run-1"), type_scope(GROUP, TODAY))])
    await journal.leave(me)
    await journal.aclose()


@pytest.mark.usefixtures("spent")
def test_a_run_shows_what_it_has_cost(cli: Cli):
    (row,) = json.loads(cli("cost", "run", "run-1", "--output", "json").out)

    assert row == {
        "run": "run-1", "calls": 3, "saved": 1, "unknown": 0, "diverged": 0,
        "input_tokens": 2000, "output_tokens": 100, "usd": 1.25, "unpriced": 1,
    }  # fmt: skip


@pytest.mark.usefixtures("spent")
def test_an_agent_type_shows_each_day_with_zeros_where_nothing_was_spent(cli: Cli):
    rows = json.loads(cli("cost", "type", "analyst", "--days", "2", "--output", "json").out)

    assert [(row["day"] == TODAY.isoformat(), row["calls"]) for row in rows] == [(False, 0), (True, 3)]


@pytest.mark.usefixtures("spent")
def test_a_table_and_lines_show_the_same(cli: Cli):
    table = cli("cost", "run", "run-1", "run-2").out.splitlines()
    lines = [json.loads(line) for line in cli("cost", "run", "run-1", "run-2", "-o", "jsonl").out.splitlines()]

    assert table[0].split()[:2] == ["run", "calls"]
    assert len(table) == 3
    assert [line["calls"] for line in lines] == [3, 0]


def test_a_transport_without_a_journal_is_said(cli: Cli):
    ended = cli("cost", "run", "run-1", "--journal", "nosuch://x")

    assert ended.code == 2
    assert "AGENTOPIC_JOURNAL" in ended.err
