from __future__ import annotations

import asyncpg
import pytest

from agentopic.adapters.journal.postgres.failures import call_error, is_repeatable, start_error
from agentopic.errors import (
    AgentopicError,
    ConfigError,
    JournalUnavailableError,
    ProcessBuriedError,
    UnreachableError,
    ValueRefusedError,
)


def database_error(code: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": code, "M": "what the server said"})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (database_error("AG001"), ProcessBuriedError),
        (database_error("22021"), ValueRefusedError),
        (database_error("54000"), ValueRefusedError),
        (database_error("57P01"), JournalUnavailableError),
        (database_error("53100"), JournalUnavailableError),
        (ConnectionResetError(), JournalUnavailableError),
        (TimeoutError(), JournalUnavailableError),
        (asyncpg.InterfaceError("connection is closed"), JournalUnavailableError),
    ],
)
def test_an_error_of_a_call_tells_what_the_caller_may_do(error: Exception, expected: type[AgentopicError]) -> None:
    assert type(call_error("commit_turns", error)) is expected


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_an_undone_transaction_may_be_repeated(code: str) -> None:
    assert is_repeatable(database_error(code))
    assert not is_repeatable(database_error("57P01"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (database_error("28P01"), ConfigError),
        (database_error("3D000"), ConfigError),
        (database_error("57P03"), UnreachableError),
        (ConnectionRefusedError(), UnreachableError),
    ],
)
def test_an_error_at_start_is_a_setting_or_an_absence(error: Exception, expected: type[AgentopicError]) -> None:
    assert type(start_error("db:5432/journal", error)) is expected
