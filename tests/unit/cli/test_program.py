from __future__ import annotations

import pytest

from agentopic.cli.exits import Exit, exit_code
from agentopic.cli.verbs import VERBS
from agentopic.errors import (
    AgentopicError,
    ConfigError,
    MissingExtraError,
    MissingTopicError,
    RequestError,
    RequestTimeoutError,
    TransportError,
    UnknownAgentError,
    UnknownLetterError,
    UnknownQuestionError,
    UnreachableError,
)

from .conftest import Cli


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (MissingExtraError("x", "kafka"), 2),
        (UnreachableError("x"), 3),
        (MissingTopicError("t", "x"), 4),
        (UnknownAgentError("x"), 4),
        (UnknownLetterError("x"), 4),
        (UnknownQuestionError("x"), 4),
        (RequestTimeoutError("x"), 6),
        (RequestError("x"), 1),
        (TransportError("x"), 1),
        (AgentopicError("x"), 1),
    ],
)
def test_each_error_has_its_exit_code(error: AgentopicError, code: int):
    assert exit_code(error) == code


def test_help_lists_every_verb(cli: Cli):
    ended = cli("--help")

    assert ended.code == Exit.DONE
    assert all(f"  {verb} " in ended.out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(cli: Cli, verb: str):
    ended = cli(verb, "--help")

    assert ended.code == Exit.DONE
    assert f"agentopic {verb}" in ended.out


def test_a_mistyped_verb_gets_a_suggestion(cli: Cli):
    ended = cli("tial")

    assert ended.code == Exit.USAGE
    assert "Did you mean 'tail'" in ended.err


def test_an_error_is_one_line_without_a_traceback(cli: Cli):
    ended = cli("topics", "list", "--transport", "amqp://host")

    assert ended.code == Exit.USAGE
    assert ended.out == ""
    assert ended.err.startswith("agentopic: AGENTOPIC_TRANSPORT='amqp://host'")
    assert ended.err.count("\n") == 1


def test_debug_shows_the_traceback_too(cli: Cli):
    ended = cli("--debug", "topics", "list", "--transport", "amqp://host")

    assert ended.code == Exit.USAGE
    assert "Traceback" in ended.err
    assert ended.err.rstrip().splitlines()[-1].startswith("agentopic: ")


def test_an_error_line_shows_no_password(cli: Cli):
    ended = cli("topics", "list", "--transport", "amqp://me:hush@host")

    assert "hush" not in ended.err
