"""Process-lived agents and services in processes of their own: who hears, who answers, and what a kill leaves."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.core import AgentId, try_get_known_serializers_for_type
from agentopic.errors import OwnerGoneError

from .durable_bed import DurableBed, durable_bed, durable_urls
from .script_process import Answer, Clerk, News, Question

SCRIPT = Path(__file__).with_name("script_process.py")


class Script:
    """A script in a process of its own, and what it has said."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.lines.append(line.decode().strip())

    async def said(self, text: str) -> None:
        """Wait until it has said something."""
        await once(lambda: text in self.lines, f"{text!r} among {self.lines}")

    async def kill(self) -> None:
        """End it as a kill -9 does."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reading


class Mesh:
    """A mesh with scripts on it."""

    def __init__(self, bed: DurableBed, urls: tuple[str, str], stack: AsyncExitStack) -> None:
        self.bed = bed
        self._urls, self._stack = urls, stack

    async def script(self, role: str) -> Script:
        """Start a script and return it when it is ready."""
        program = (sys.executable, "-W", "ignore", str(SCRIPT), *self._urls, self.bed.ns, role)
        script = Script(await asyncio.create_subprocess_exec(*program, stdout=PIPE))
        self._stack.push_async_callback(script.kill)
        await script.said("ready")
        return script

    async def clerk(self) -> Any:
        """Start the service in this process."""
        runtime = self.bed.runtime()
        await AgentService("clerk", Clerk, publishes={"news": News}).register(runtime)
        await runtime.start()
        return runtime


async def once(condition: Callable[[], bool], what: str) -> None:
    """Wait for what other processes do."""
    try:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - what other processes do
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never: {what}")


@pytest.fixture(params=["sqlite", "kafka"])
def urls(request: pytest.FixtureRequest, ns: str, tmp_path: Path) -> tuple[str, str]:
    return durable_urls(request.param, ns, tmp_path, request.getfixturevalue)


@pytest.fixture
async def mesh(urls: tuple[str, str], ns: str) -> AsyncIterator[Mesh]:
    async with durable_bed(urls, ns) as bed, AsyncExitStack() as stack:
        yield Mesh(bed, urls, stack)


class Desk(RoutedAgent):
    """Asks whoever makes itself known."""

    ends: list[str]
    question = "how are you?"

    def __init__(self) -> None:
        super().__init__("asks")

    @message_handler
    async def on_news(self, message: News, ctx: MessageContext) -> None:
        assert ctx.sender is not None
        try:
            reply = await self.send_message(Question(text=self.question), ctx.sender)
        except OwnerGoneError as error:
            self.ends.append(f"gone: {error}")
        else:
            self.ends.append(reply.text)


async def desk(mesh: Mesh, question: str, **options: Any) -> list[str]:
    """Start the desk in this process and return the list of what its turns come to."""
    ends = list[str]()
    kind = type("DeskHere", (Desk,), {"ends": ends, "question": question})
    runtime = mesh.bed.runtime(**options)
    service = AgentService(
        "desk", kind, stateless=True, payloads=[Answer, Question], subscriptions=[TypeSubscription("desk", "desk")]
    )
    await service.register(runtime)
    await runtime.start()
    return ends


async def test_every_script_hears_what_a_service_publishes_after_it_has_begun_to_listen(mesh: Mesh):
    service = await mesh.clerk()
    await service.publish_message(Question(text="old"), TopicId("default", "k"))
    await mesh.bed.records("topic.news", 1)
    scripts = [await mesh.script("reader") for _ in range(2)]

    await service.publish_message(Question(text="new"), TopicId("default", "k"))
    for script in scripts:
        await script.said("heard news of new")

    assert [script.lines for script in scripts] == [["ready", "heard news of new"]] * 2


async def test_of_two_replicas_of_a_service_with_the_default_subscription_one_hears(mesh: Mesh):
    replicas = [await mesh.script("clerk") for _ in range(2)]
    publisher = mesh.bed.runtime()
    publisher.add_message_serializer(try_get_known_serializers_for_type(Question))
    await publisher.start()

    for number in range(10):
        await publisher.publish_message(Question(text=str(number)), TopicId("default", f"k{number}"))

    def heard() -> list[str]:
        return [line for each in replicas for line in each.lines if line.startswith("handled")]

    await once(lambda: len(heard()) >= 10, "all are handled")

    assert sorted(heard()) == sorted(f"handled {number}" for number in range(10))


async def test_a_service_asks_the_script_that_has_made_itself_known(mesh: Mesh):
    ends = await desk(mesh, "how are you?")

    await mesh.script("friend")
    await once(lambda: bool(ends), "the turn has ended")

    assert ends == ["how are you?, answered"]


async def test_a_turn_that_waits_for_a_script_is_told_when_the_script_is_killed(mesh: Mesh):
    ends = await desk(mesh, "for ever", request_resend_seconds=0.5, request_timeout_seconds=None)
    script = await mesh.script("friend")
    await script.said("asked for ever")

    await script.kill()
    await once(lambda: bool(ends), "the turn has ended")

    assert ends[0].startswith("gone: owner gone: friend.p-")


async def test_a_script_that_was_killed_is_gone_for_whoever_asks_it_later(mesh: Mesh):
    ends = await desk(mesh, "how are you?")
    script = await mesh.script("friend")
    await once(lambda: bool(ends), "it was there")
    (call,) = await mesh.bed.records("topic.desk", 1)
    sender = {name: value.decode() for name, value in call.headers}
    await script.kill()
    caller = mesh.bed.runtime(request_resend_seconds=0.3)
    caller.add_message_serializer(try_get_known_serializers_for_type(Question))
    await caller.start()

    with pytest.raises(OwnerGoneError):
        await caller.send_message(Question(text="still there?"), AgentId(sender["ce_agagentsendertype"], "f"))
