from __future__ import annotations

import pytest

from agentopic.adapters.journal.postgres import PostgresOptions


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("postgresql://me:secret@db:5432/journal", "db:5432/journal"),
        ("postgresql://me:se@cret@db/journal?sslmode=require", "db/journal"),
        ("postgres:///journal", "localhost/journal"),
    ],
)
def test_the_place_shows_no_secret(dsn: str, place: str) -> None:
    assert PostgresOptions(dsn=dsn).place == place
