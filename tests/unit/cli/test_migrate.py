from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agentopic.adapters.journal.sqlite.schema import VERSION

from .conftest import Cli

JOURNAL = ("--journal", "sqlite:///journal.db")


def rows(cli: Cli, *flags: str) -> list[tuple[int, int, str]]:
    (row,) = json.loads(cli("migrate", *JOURNAL, *flags, "--output", "json").out)
    assert row["journal"] == "sqlite:///journal.db"
    return [(row["before"], row["now"], row["action"])]


def test_a_dry_run_makes_nothing(cli: Cli, folder: Path):
    told = rows(cli, "--dry-run")

    assert told == [(0, VERSION, "would create")]
    assert not (folder / "journal.db").exists()


def test_a_new_journal_is_created_and_then_up_to_date(cli: Cli):
    told = [*rows(cli), *rows(cli), *rows(cli, "--dry-run")]

    assert told == [(0, VERSION, "created"), *[(VERSION, VERSION, "up to date")] * 2]


def test_an_older_journal_is_named_and_left_alone_by_a_dry_run(cli: Cli, folder: Path):
    rows(cli)
    with closing(sqlite3.connect(folder / "journal.db")) as connection, connection:
        connection.execute("UPDATE j_schema SET version = 1")

    told = rows(cli, "--dry-run")

    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        assert connection.execute("SELECT version FROM j_schema").fetchone() == (1,)
    assert told == [(1, VERSION, "would upgrade")]


def test_a_newer_journal_is_refused(cli: Cli, folder: Path):
    rows(cli)
    with closing(sqlite3.connect(folder / "journal.db")) as connection, connection:
        connection.execute("UPDATE j_schema SET version = 99")

    ended = cli("migrate", *JOURNAL, "--dry-run")

    assert ended.code == 2
    assert "version 99" in ended.err


@pytest.mark.parametrize("url", ["memory://", "redis://localhost"])
def test_a_journal_without_tables_is_a_usage_error(cli: Cli, url: str):
    ended = cli("migrate", "--journal", url)

    assert ended.code == 2
    assert "no tables" in ended.err


def test_what_is_no_database_is_refused(cli: Cli, folder: Path):
    (folder / "journal.db").write_text("no database at all, but long enough to be looked at" * 100)

    ended = cli("migrate", *JOURNAL, "--dry-run")

    assert ended.code == 2
    assert "not a usable SQLite file" in ended.err
