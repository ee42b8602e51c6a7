"""Asking and sleeping where no durable turn keeps the question."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from agentopic.core import AgentId, CancellationToken, MessageContext
from agentopic.core._turn import ask, current_path, sleep, step_path


@pytest.fixture
def context() -> MessageContext:
    return MessageContext(
        sender=AgentId("a", "b"), topic_id=None, is_rpc=False, cancellation_token=CancellationToken(), message_id="m"
    )


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


async def test_a_question_outside_a_turn_is_asked_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    typed(monkeypatch, "forty two\n")

    answer = await ask("How many?", details={"unit": "apples"})

    assert answer == "forty two"
    shown = capsys.readouterr()
    assert "How many?" in shown.err
    assert "apples" in shown.err
    assert shown.out == ""


async def test_the_terminal_asks_again_until_the_answer_is_one_of_the_choices(
    monkeypatch: pytest.MonkeyPatch, context: MessageContext
):
    typed(monkeypatch, "maybe\nyes\n")

    assert await context.ask("Go on?", choices=["yes", "no"]) == "yes"


async def test_a_question_that_nobody_can_answer_is_an_error(monkeypatch: pytest.MonkeyPatch):
    typed(monkeypatch, "")

    with pytest.raises(EOFError):
        await ask("Is anybody there?")


async def test_sleeping_outside_a_turn_is_plain(context: MessageContext):
    await context.sleep(0)
    await sleep(0)


def test_a_step_path_is_left_with_its_block():
    seen: list[Any] = []

    with step_path("a"), step_path("b"):
        seen.append(current_path.get())

    assert seen == [("a", "b")]
    assert current_path.get() == ()
