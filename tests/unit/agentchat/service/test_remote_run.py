from __future__ import annotations

from typing import Any

import pytest

from agentopic.agentchat.base import TaskResult
from agentopic.agentchat.messages import MessageFactory, TextMessage
from agentopic.agentchat.service._conversation_ear import ConversationEar, Previewed
from agentopic.agentchat.service._payloads import RunEnd, TeamOutput, TeamStatus
from agentopic.agentchat.service._remote_run import RemoteRun
from agentopic.agentchat.teams._group_chat._carried import Carried
from agentopic.agentchat.teams._group_chat._events import SerializableException
from agentopic.errors import RequestCancelledError, TeamError

SAID = [TextMessage(content=text, source="a") for text in ("go", "one", "two")]
OUTPUT = [TeamOutput(run=1, number=number, message=Carried(message)) for number, message in enumerate(SAID)]
END = TeamOutput(run=1, number=3, end=RunEnd(outcome="done", stop_reason="enough"))


class Manager:
    """Answers with what it has of the run, and remembers what it was asked."""

    def __init__(self, *items: TeamOutput, run: int = 1) -> None:
        self.items, self.run = items, run
        self.asked: list[int] = []

    async def read(self, run: int, start: int) -> TeamStatus:
        self.asked.append(start)
        return TeamStatus(run=self.run, is_running=True, items=[item for item in self.items if item.number >= start])


async def followed(manager: Manager, *heard: TeamOutput | Previewed) -> list[Any]:
    ear = ConversationEar("c")
    for item in heard:
        ear.hear(item)
    run = RemoteRun(1, MessageFactory(), ear, manager.read)
    return [item async for item in run.follow(TeamStatus(run=1, is_running=True))]


def shown(items: list[Any]) -> list[str]:
    return ["end" if isinstance(item, TaskResult) else item.to_text() for item in items]


async def test_a_previewed_message_is_shown_at_once_and_its_committed_copy_not_again() -> None:
    preview = Previewed(run=1, message=SAID[2].dump())

    items = await followed(Manager(), OUTPUT[0], preview, OUTPUT[1], OUTPUT[2], END)

    assert shown(items) == ["go", "two", "one", "end"]
    assert [message.to_text() for message in items[-1].messages] == ["go", "one", "two"]


async def test_a_preview_that_is_never_committed_is_no_part_of_the_result() -> None:
    void = Previewed(run=1, message=TextMessage(content="void", source="a").dump())

    items = await followed(Manager(), OUTPUT[0], void, *OUTPUT[1:], END)

    assert shown(items) == ["go", "void", "one", "two", "end"]
    assert [message.to_text() for message in items[-1].messages] == ["go", "one", "two"]


async def test_what_was_not_heard_is_asked_for_at_once_when_something_later_was() -> None:
    manager = Manager(*OUTPUT, END)

    items = await followed(manager, OUTPUT[0], END)

    assert shown(items) == ["go", "one", "two", "end"]
    assert manager.asked == [1]


async def test_repeats_and_other_runs_are_dropped() -> None:
    other = TeamOutput(run=2, number=1, message=Carried(TextMessage(content="other", source="a")))

    items = await followed(Manager(), OUTPUT[0], other, OUTPUT[0], *OUTPUT[1:], OUTPUT[1], END)

    assert shown(items) == ["go", "one", "two", "end"]


async def test_the_end_of_a_failed_run_is_its_error_with_class_and_text() -> None:
    error = SerializableException(error_type="EmptyError", error_message="")
    failed = TeamOutput(run=1, number=0, end=RunEnd(outcome="failed", error=error))

    with pytest.raises(TeamError) as caught:
        await followed(Manager(), failed)

    assert (caught.value.error_type, caught.value.error_message) == ("EmptyError", "EmptyError")


async def test_the_end_of_a_cancelled_run_says_so() -> None:
    with pytest.raises(RequestCancelledError):
        await followed(Manager(), TeamOutput(run=1, number=0, end=RunEnd(outcome="cancelled")))


async def test_a_caller_that_comes_too_late_is_told_that_another_run_has_begun() -> None:
    with pytest.raises(TeamError, match="run 2 has begun since"):
        await followed(Manager(run=2), OUTPUT[1])
