"""Intervention handlers on a durable runtime: they work at the sender, and what they drop is settled."""

from __future__ import annotations

from typing import Any

import pytest

from agentopic.core import AgentId, DefaultInterventionHandler, DropMessage, MessageContext
from agentopic.core._turn import current_turn
from agentopic.errors import MessageDroppedError

from .town import Note, Resident, Town, seeing, topic


class Watcher(DefaultInterventionHandler):
    """Notes what it is shown; drops, refuses or changes what the text asks for."""

    def __init__(self) -> None:
        self.shown = list[tuple[str, str, bool]]()

    def _judged(self, kind: str, message: Note | None) -> Any:
        text = "" if message is None else message.text
        self.shown.append((kind, text, current_turn.get() is not None))
        if text == f"drop at {kind}":
            return DropMessage
        if text == f"refuse at {kind}":
            raise PermissionError(text)
        return Note(text=f"{text}!") if text == f"change at {kind}" else message

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        return self._judged("publish", message)

    async def on_send(self, message: Any, *, message_context: MessageContext, recipient: AgentId) -> Any:
        return self._judged("send", message)

    async def on_response(self, message: Any, *, sender: AgentId, recipient: AgentId | None) -> Any:
        return self._judged("response", message)


async def echo(agent: Resident, message: Note, ctx: MessageContext) -> Note:
    return message


async def test_a_dropped_publish_counts_as_finished(town: Town):
    seen = list[Note]()
    runtime = town.runtime(intervention_handlers=[Watcher()])
    await town.settle(runtime, "clerk", seeing(seen))
    await runtime.start()

    for text in ("drop at publish", "change at publish", "plain"):
        await runtime.publish_message(Note(text=text), topic("clerk"))
    await runtime.stop_when_idle()

    assert [note.text for note in seen] == ["change at publish!", "plain"]


async def test_a_publish_is_shown_in_the_turn_of_its_sender(town: Town):
    watcher = Watcher()
    seen = list[Note]()

    async def pass_on(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(Note(text="drop at publish"), topic("out"))
        await agent.publish_message(Note(text="goes out"), topic("out"))

    runtime = town.runtime(intervention_handlers=[watcher])
    await town.settle(runtime, "clerk", pass_on)
    await town.settle(runtime, "out", seeing(seen))
    await runtime.start()
    await runtime.publish_message(Note(text="root"), topic("clerk"))
    await runtime.stop_when_idle()

    assert watcher.shown == [
        ("publish", "root", False),
        ("publish", "drop at publish", True),
        ("publish", "goes out", True),
    ]
    assert [note.text for note in seen] == ["goes out"]


async def test_a_refused_publish_fails_the_turn_it_was_made_in(town: Town):
    async def pass_on(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(Note(text="before"), topic("out"))
        await agent.publish_message(Note(text="refuse at publish"), topic("out"))

    town.create("topic.out")
    runtime = town.runtime(intervention_handlers=[Watcher()])
    await town.settle(runtime, "clerk", pass_on)
    await runtime.start()
    await runtime.publish_message(Note(text="root"), topic("clerk"))
    await runtime.stop_when_idle()

    assert town.notes("topic.out") == []
    assert town.reasons("clerk") == ["AttemptsExhaustedError"]


@pytest.mark.parametrize(("where", "handled"), [("send", False), ("response", True)])
async def test_who_asks_is_told_of_a_dropped_message_or_answer(town: Town, where: str, handled: bool):
    seen = list[Note]()

    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> Note:
        seen.append(message)
        return message

    runtime = town.runtime(intervention_handlers=[Watcher()])
    await town.settle(runtime, "clerk", answer)
    await runtime.start()

    with pytest.raises(MessageDroppedError):
        await runtime.send_message(Note(text=f"drop at {where}"), AgentId("clerk", "k"))
    with pytest.raises(PermissionError):
        await runtime.send_message(Note(text=f"refuse at {where}"), AgentId("clerk", "k"))
    changed = await runtime.send_message(Note(text=f"change at {where}"), AgentId("clerk", "k"))
    await runtime.stop_when_idle()

    assert changed == Note(text=f"change at {where}!")
    assert (len(seen) == 3) is handled


async def test_an_answer_is_shown_in_the_turn_of_who_asked(town: Town):
    watcher = Watcher()
    heard = list[Note]()

    async def ask(agent: Resident, message: Note, ctx: MessageContext) -> None:
        heard.append(await agent.send_message(Note(text="question"), AgentId("echo", "k")))

    runtime = town.runtime(intervention_handlers=[watcher])
    await town.settle(runtime, "clerk", ask)
    await town.settle(runtime, "echo", echo)
    await runtime.start()
    await runtime.publish_message(Note(text="root"), topic("clerk"))
    await runtime.stop_when_idle()

    assert watcher.shown == [("publish", "root", False), ("send", "question", True), ("response", "question", True)]
    assert heard == [Note(text="question")]


async def test_an_event_that_was_changed_keeps_its_id_over_all_attempts(town: Town):
    attempts = list[int]()

    async def pass_on(agent: Resident, message: Note, ctx: MessageContext) -> None:
        attempts.append(1)
        await agent.publish_message(Note(text="change at publish"), topic("out"))
        ids.append(watcher.ids[-1])
        if len(attempts) < 2:
            raise ValueError("once more")

    class Ids(Watcher):
        def __init__(self) -> None:
            super().__init__()
            self.ids = list[str]()

        async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
            self.ids.append(message_context.message_id)
            return await super().on_publish(message, message_context=message_context)

    ids = list[str]()
    watcher = Ids()
    town.create("topic.out")
    runtime = town.runtime(intervention_handlers=[watcher])
    await town.settle(runtime, "clerk", pass_on)
    await runtime.start()
    await runtime.publish_message(Note(text="root"), topic("clerk"))
    await runtime.stop_when_idle()

    assert [event.id for event in town.events("topic.out")] == [ids[0]]
    assert ids[0] == ids[1]


async def test_what_has_left_at_once_does_not_leave_again_when_branches_run_in_another_order(town: Town):
    orders = [["left", "right"], ["right", "left"]]

    async def handle(agent: Resident, message: Note, ctx: MessageContext) -> None:
        order = orders.pop(0)
        for text in order:
            await agent.publish_message(Note(text=text), topic("out"), now=True)
        if orders:
            raise ValueError("once more")

    town.create("topic.out")
    runtime = town.runtime(intervention_handlers=[Watcher()])
    await town.settle(runtime, "clerk", handle)
    await runtime.start()

    await runtime.publish_message(Note(text="root"), topic("clerk"))
    await runtime.stop_when_idle()

    assert sorted(note.text for note in town.notes("topic.out")) == ["left", "right"]
    assert len({event.id for event in town.events("topic.out")}) == 2
