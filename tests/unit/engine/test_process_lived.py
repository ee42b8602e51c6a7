"""Process-lived agents: closures and objects that hear and answer for as long as their process lives."""

from __future__ import annotations

import asyncio
import logging

import pytest

from agentopic.core import (
    AgentId,
    ClosureContext,
    DefaultTopicId,
    MessageContext,
    TopicId,
    TypeSubscription,
)
from agentopic.errors import MissingTopicError, NotAccessibleError
from agentopic.ports.transport import OutgoingRecord

from .neighbours import client, hearing, lives, numbered
from .town import NS, Note, Resident, Town, nothing, seeing, topic, until

# ── hearing ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_closure_hears_what_is_published_after_its_registration(town: Town):
    heard, runtime = list[str](), town.runtime()
    await runtime.start()
    town.create("topic.news")
    await runtime.publish_message(Note(text="old"), topic("news"))

    await lives(runtime, "reader", hearing(heard), "news")
    await runtime.publish_message(Note(text="new"), topic("news"))
    await runtime.stop_when_idle()

    assert heard == ["new"]


async def test_two_processes_with_the_same_closure_both_hear(town: Town):
    heard = list[str]()
    for _ in range(2):
        runtime = town.runtime()
        await lives(runtime, "reader", hearing(heard), "news")
        await runtime.start()

    await town.runtime().publish_message(Note(text="all"), topic("news"))
    await until(lambda: heard == ["all", "all"], "both hear")


async def test_of_two_processes_with_the_same_service_one_hears(town: Town):
    seen, runtimes = list[Note](), [town.runtime() for _ in range(2)]
    for runtime in runtimes:
        await town.settle(runtime, "clerk", seeing(seen))
        await runtime.start()

    await runtimes[0].publish_message(Note(text="one"), topic("clerk"))
    for runtime in runtimes:
        await runtime.stop_when_idle()

    assert [each.text for each in seen] == ["one"]


async def test_a_closure_hears_what_a_service_of_another_process_publishes(town: Town):
    async def answer(agent: Resident, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(Note(text=f"{message.text} done"), topic("done"))

    heard, service, script = list[str](), town.runtime(), client(town)
    await town.settle(service, "clerk", answer, publishes=("done",))
    await service.start()
    await lives(script, "reader", hearing(heard), "done")
    await script.start()

    await script.publish_message(Note(text="work"), topic("clerk"))
    await until(lambda: heard == ["work done"], "the output is heard")


async def test_a_process_without_a_journal_hears_and_publishes(town: Town):
    heard, script = list[str](), client(town)
    await lives(script, "reader", hearing(heard), "news")
    await script.start()

    await script.publish_message(Note(text="here"), topic("news"))
    await script.stop_when_idle()

    assert heard == ["here"]


async def test_no_dead_letters_and_no_request_topic_belong_to_a_closure(town: Town):
    async def fail(_: ClosureContext, message: Note, __: MessageContext) -> None:
        raise ValueError("no")

    runtime = town.runtime()
    await lives(runtime, "reader", fail, "news")
    await runtime.start()
    await runtime.publish_message(Note(), topic("news"))
    await runtime.stop_when_idle()

    assert [name for name in town.log.topics() if "reader" in name] == []


async def test_an_agent_does_not_hear_what_it_publishes_but_its_namesake_elsewhere_does(town: Town):
    heard, runtimes = list[tuple[int, str]](), [town.runtime() for _ in range(2)]
    for index, runtime in enumerate(runtimes):
        await lives(runtime, "reader", numbered(heard, index), "news")
        await runtime.start()

    await runtimes[0].publish_message(Note(text="mine"), topic("news"), sender=AgentId("reader", "k"))
    for runtime in runtimes:
        await runtime.stop_when_idle()

    assert heard == [(1, "mine")]


async def test_an_instance_hears_the_topic_named_like_its_key_and_no_other_key(town: Town):
    seen, runtime = list[Note](), town.runtime()
    await Resident(seeing(seen)).register_instance(runtime, AgentId("ann", "ann"))
    await runtime.start()

    for source in ("ann", "bob"):
        await runtime.publish_message(Note(text=source), TopicId("ann", source))
    await runtime.stop_when_idle()

    assert [each.text for each in seen] == ["ann"]


async def test_an_instance_whose_key_is_no_topic_name_is_registered_all_the_same(town: Town):
    runtime = town.runtime()
    await Resident(nothing).register_instance(runtime, AgentId("odd", ""))
    await Resident(nothing).register_instance(runtime, AgentId("odd", "x" * 500))

    await runtime.start()

    assert await runtime.send_message(Note(), AgentId("odd", "")) is None


async def test_a_topic_that_matches_a_prefix_is_heard_from_its_beginning(town: Town):
    heard, runtime = list[str](), town.runtime()
    await lives(runtime, "reader", hearing(heard))
    await runtime.start()

    town.create("topic.reader-clater")
    await town.runtime().publish_message(Note(text="first"), topic("reader:later"))
    await until(lambda: heard == ["first"], "the new topic is found")


async def test_handlers_interleave_and_are_begun_in_order(town: Town):
    begun, together = list[int](), asyncio.Event()

    async def meet(_: ClosureContext, message: Note, __: MessageContext) -> None:
        begun.append(message.number)
        if len(begun) == 5:
            together.set()
        await together.wait()

    runtime = town.runtime()
    await lives(runtime, "reader", meet, "news")
    await runtime.start()
    for number in range(5):
        await runtime.publish_message(Note(number=number), topic("news"))
    await runtime.stop_when_idle()

    assert begun == [0, 1, 2, 3, 4]


async def test_no_more_is_read_while_too_many_handlers_run(town: Town):
    begun, go = list[int](), asyncio.Event()

    async def wait(_: ClosureContext, message: Note, __: MessageContext) -> None:
        begun.append(message.number)
        await go.wait()

    script = client(town, message_queue_size=3)
    await lives(script, "reader", wait, "news")
    await script.start()
    for number in range(3):
        await script.publish_message(Note(number=number), topic("news"))
    await until(lambda: len(begun) == 3, "as many as may run do")
    await script.publish_message(Note(number=3), topic("news"))
    await asyncio.sleep(0.3)
    held_back = list(begun)
    go.set()
    await script.stop_when_idle()

    assert (held_back, begun) == ([0, 1, 2], [0, 1, 2, 3])


async def test_what_a_closure_publishes_belongs_to_the_run_of_what_it_heard(town: Town):
    async def relay(agent: ClosureContext, message: Note, ctx: MessageContext) -> None:
        await agent.publish_message(message, DefaultTopicId("second"))

    runtime = town.runtime()
    town.create("topic.second")
    await lives(runtime, "reader", relay, "first")
    await runtime.start()
    await runtime.publish_message(Note(), topic("first", "anna"), message_id="the-run")
    await runtime.stop_when_idle()

    (event,) = town.events("topic.second")
    assert (event.correlationid, event.causationid, event.aghops) == ("the-run", "the-run", 1)
    assert (event.agtopicsource, event.agagentsenderkey) == ("anna", "anna")


async def test_a_loop_of_two_closures_ends(town: Town):
    heard = list[int]()

    async def echo(agent: ClosureContext, message: Note, ctx: MessageContext) -> None:
        heard.append(message.number)
        assert ctx.topic_id is not None
        await agent.publish_message(Note(number=message.number + 1), ctx.topic_id)

    runtime = town.runtime(hop_limit=5)
    for name in ("left", "right"):
        await lives(runtime, name, echo, "news")
    await runtime.start()
    await runtime.publish_message(Note(), topic("news"), sender=AgentId("left", "k"))
    await runtime.stop_when_idle()

    assert heard == [0, 1, 2, 3, 4, 5]


async def test_a_topic_that_is_not_there_and_may_not_be_created_stays_in_the_process(town: Town):
    town.create("replies")
    heard, script = list[str](), client(town, topics="verify")
    await lives(script, "reader", hearing(heard), "news")
    await script.start()

    await script.publish_message(Note(text="here"), topic("news"))
    await script.stop_when_idle()

    assert (heard, "town.topic.news" in town.log.topics()) == (["here"], False)


async def test_a_publish_that_nobody_declared_is_an_error_at_the_call(town: Town):
    runtime = town.runtime()
    await lives(runtime, "reader", hearing([]), "news")
    await runtime.start()

    with pytest.raises(MissingTopicError):
        await runtime.publish_message(Note(), topic("weather"))


async def test_what_is_no_event_or_has_expired_is_passed_over(town: Town):
    heard, runtime = list[str](), town.runtime()
    await lives(runtime, "reader", hearing(heard), "news")
    await runtime.start()
    await runtime.mesh.transport.send([OutgoingRecord(topic=f"{NS}.topic.news", key=None, value=b"{")])
    await runtime.publish_message(Note(text="valid"), topic("news"))
    await runtime.stop_when_idle()

    assert heard == ["valid"]


async def test_a_subscription_that_was_removed_is_heard_no_more(town: Town):
    heard, runtime = list[str](), town.runtime()
    subscription = TypeSubscription("news", "reader")
    await lives(runtime, "reader", hearing(heard))
    await runtime.start()
    await runtime.add_subscription(subscription)
    await runtime.publish_message(Note(text="heard"), topic("news"))
    await runtime.idle()

    await runtime.remove_subscription(subscription.id)
    await runtime.publish_message(Note(text="missed"), topic("news"))
    await runtime.stop_when_idle()

    assert heard == ["heard"]


# ── the agents themselves ──────────────────────────────────────────────────────────────────────────────────


async def test_its_state_is_in_memory_and_can_be_saved_and_given_back(town: Town):
    runtime, resident = town.runtime(), AgentId("resident", "r")
    agent = Resident(nothing)
    await agent.register_instance(runtime, resident)
    await town.settle(runtime, "clerk", nothing)
    await runtime.start()
    await runtime.send_message(Note(), resident)

    saved = await runtime.save_state()
    await runtime.send_message(Note(), resident)
    await runtime.load_state(saved)

    assert (saved, agent.turns) == ({"resident/r": {"turns": 1}}, 1)
    assert await runtime.agent_save_state(resident) == {"turns": 1}
    assert await runtime.try_get_underlying_agent_instance(resident, Resident) is agent
    with pytest.raises(NotAccessibleError):
        await runtime.agent_save_state(AgentId("clerk", "r"))
    with pytest.raises(NotAccessibleError):
        await runtime.load_state({"clerk/r": {}})


async def test_no_more_closures_are_kept_than_idle_agents(town: Town):
    runtime = client(town, idle_agents=3)
    heard = list[str]()
    await lives(runtime, "reader", hearing(heard), "news")
    await runtime.start()
    for number in range(10):
        await runtime.publish_message(Note(), topic("news", str(number)))
    await runtime.stop_when_idle()

    assert len(heard) == 10
    assert len(await runtime.save_state()) == 3


async def test_it_is_closed_with_its_runtime(town: Town):
    closed = list[str]()

    class Closing(Resident):
        async def close(self) -> None:
            closed.append(str(self.id))

    runtime = town.runtime()
    await Closing(nothing).register_instance(runtime, AgentId("closing", "k"))
    async with runtime:
        await runtime.send_message(Note(), AgentId("closing", "k"))

    assert closed == ["closing/k"]


async def test_a_warning_names_each_type_once(town: Town, caplog: pytest.LogCaptureFixture):
    runtime = town.runtime()

    with caplog.at_level(logging.WARNING):
        for key in ("a", "b"):
            await Resident(nothing).register_instance(runtime, AgentId("resident", key))
        await lives(runtime, "reader", hearing([]))

    told = [each.getMessage() for each in caplog.records if "with this process" in each.getMessage()]
    assert [name for name in ("resident", "reader") for text in told if name in text] == ["resident", "reader"]


async def test_a_registration_does_not_disturb_the_services_of_the_process(town: Town):
    runtime, heard = town.runtime(), list[str]()
    working, go = asyncio.Event(), asyncio.Event()

    async def work(agent: Resident, message: Note, ctx: MessageContext) -> None:
        working.set()
        await go.wait()

    await town.settle(runtime, "clerk", work)
    await runtime.start()
    await runtime.publish_message(Note(), topic("clerk"))
    await working.wait()

    await lives(runtime, "reader", hearing(heard), "news")
    await runtime.publish_message(Note(text="meanwhile"), topic("news"))
    await until(lambda: heard == ["meanwhile"], "it hears while the turn goes on")
    go.set()
    await runtime.stop_when_idle()


async def test_what_was_published_between_two_processes_is_not_heard(town: Town):
    heard, runtime = list[str](), town.runtime()
    await lives(runtime, "reader", hearing(heard), "news")
    await runtime.start()
    await runtime.stop()
    again = town.runtime()
    await again.start()
    await again.publish_message(Note(text="missed"), topic("news"))

    await lives(again, "reader", hearing(heard), "news")
    await again.publish_message(Note(text="heard"), topic("news"))
    await again.stop_when_idle()

    assert heard == ["heard"]
