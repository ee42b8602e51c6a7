"""Commands: one codec, both ways; and the ids by which answers find their steps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agentopic.core import AgentId
from agentopic.engine.commands import (
    AnswerCommand,
    CancelCommand,
    CancelRunCommand,
    Command,
    PauseCommand,
    ResumeCommand,
    command_event,
    control_row,
    read_command,
)
from agentopic.engine.request_ids import AskingStep, asking_step, request_id
from agentopic.envelope import Envelope
from agentopic.envelope.kafka import decode_record
from agentopic.errors import PayloadError

NOW = datetime(2026, 1, 2, tzinfo=UTC)
AGENT = AgentId("clerk", "k/1")


@pytest.mark.parametrize(
    "command",
    [
        AnswerCommand(turn="0" * 32, step="f" * 32, value={"yes": [1, None, "x"]}),
        CancelCommand(request_id="r", source="/s", id="e", redrive=2, run="run"),
        CancelCommand(request_id="r", source="/s", id="e", cause="earlier"),
        CancelRunCommand(run="run"),
        PauseCommand(),
        ResumeCommand(),
    ],
)
def test_a_command_comes_back_as_it_was_sent(command: Command):
    row = control_row("town", AGENT, command_event("town", AGENT, command, now=NOW))

    event = decode_record(row.headers, row.value)

    assert read_command(event) == command
    assert (row.topic, row.key) == ("town.control.clerk", b"k/1")
    assert (event.agmsgkind, event.agtargetkey) == ("control", "k/1")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("agentopic.Destroy.v1", b"{}"),
        ("agentopic.Answer.v1", b"{}"),
        ("agentopic.Answer.v1", b"no json"),
        ("agentopic.Answer.v1", b'{"turn": "xyz", "step": "0", "value": 1}'),
        ("agentopic.Cancel.v1", b'{"request_id": "", "source": "/s", "id": "e"}'),
        ("agentopic.CancelRun.v1", b'{"run": 7}'),
    ],
)
def test_what_is_no_command_is_refused(kind: str, data: bytes):
    with pytest.raises(PayloadError):
        read_command(Envelope(id="e", source="/s", type=kind, data=data))


def test_a_request_id_names_the_step_that_asks():
    step = AskingStep(b"l" * 16, b"\xff" * 16, bytes(16))

    assert asking_step(request_id(step)) == step


@pytest.mark.parametrize("text", ["", "x", "0" * 63, "é" * 64, "=" * 64, "0" * 63 + "!"])
def test_another_id_names_no_step(text: str):
    assert asking_step(text) is None
