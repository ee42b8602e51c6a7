"""A service run by the command line, used by the command line, from outside and in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SERVICE = """
from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload
from pydantic import BaseModel


@payload("shop.Order.v1")
class Order(BaseModel):
    item: str


@payload("shop.Invoice.v1")
class Invoice(BaseModel):
    item: str
    total: int


@payload("agentopic.Text.v1")
class Text(BaseModel):
    content: str


class Clerk(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("takes orders")

    @message_handler
    async def order(self, message: Order, ctx: MessageContext) -> None:
        invoice = Invoice(item=message.item, total=len(message.item))
        await self.publish_message(invoice, TopicId("invoice", self.id.key))

    @message_handler
    async def quote(self, message: Invoice, ctx: MessageContext) -> Invoice:
        if message.total < 0:
            raise ValueError("a negative total")
        return Invoice(item=message.item, total=message.total * 2)

    @message_handler
    async def text(self, message: Text, ctx: MessageContext) -> Text:
        return Text(content=message.content.upper())


orders = [TypeSubscription("order", "clerk")]
app = AgentService("clerk", Clerk, subscriptions=orders, publishes={"invoice": Invoice}, stateless=True)


class Auditor(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("sees invoices")

    @message_handler
    async def invoice(self, message: Invoice, ctx: MessageContext) -> None:
        await self.publish_message(Text(content=f"{message.item}: {message.total}"), TopicId("audit", self.id.key))


heard = [TypeSubscription("invoice", "auditor")]
audit = AgentService("auditor", Auditor, subscriptions=heard, publishes={"audit": Text}, stateless=True)
"""


class Shell:
    """A folder with the service's module and the environment of a user."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        (folder / "shop.py").write_text(SERVICE)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPIC_", "AUTOGEN_"))}
        self.folder = folder
        self.environment = kept | {"XDG_CONFIG_HOME": str(folder)} | variables
        self._started: list[subprocess.Popen[str]] = []

    def run(self, *arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agentopic", *arguments],
            cwd=self.folder, env=self.environment | variables, input=stdin, capture_output=True, text=True, timeout=40,
            check=False,
        )  # fmt: skip

    def start(self, *arguments: str, until: str) -> subprocess.Popen[str]:
        """Start a process and return once its stderr has shown a text; fail when it ends before."""
        process = subprocess.Popen(
            [sys.executable, "-m", "agentopic", *arguments],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._started.append(process)
        shown: list[str] = []
        assert process.stderr is not None
        for line in process.stderr:
            shown.append(line)
            if until in line:
                # Nobody may block on a full pipe.
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return process
        raise AssertionError(f"ended with {process.wait()}: {''.join(shown)}")

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


@pytest.fixture
def shell_with(tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Shell]]:
    made: list[Shell] = []

    def make(variables: dict[str, str]) -> Shell:
        made.append(Shell(tmp_path, variables))
        return made[-1]

    yield make
    for shell in made:
        shell.end()


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.postgres])])
def shell(request: pytest.FixtureRequest, shell_with: Callable[[dict[str, str]], Shell], ns: str) -> Shell:
    variables = {"AGENTOPIC_NAMESPACE": ns, "AGENTOPIC_PARTITIONS": "2"}
    if request.param == "kafka":
        variables |= {
            "AGENTOPIC_TRANSPORT": f"kafka://{request.getfixturevalue('kafka')}",
            "AGENTOPIC_JOURNAL": request.getfixturevalue("postgres_dsn"),
        }
    return shell_with(variables)


def events(ended: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_a_task_event_in_becomes_an_output_event(shell: Shell):
    service = shell.start("run", "shop:app", until='"ready"')

    sent = shell.run("publish", "order", "--type", "shop.Order.v1", "--subject", "s1", stdin='{"item": "tea"}')
    read = shell.run("tail", "invoice", "--from-beginning", "--follow", "--max", "1")

    assert len(events(sent)) == 1
    (invoice,) = events(read)
    assert (invoice["type"], invoice["subject"], invoice["data"]) == (
        "shop.Invoice.v1",
        "s1",
        {"item": "tea", "total": 3},
    )
    assert invoice["causationid"] == events(sent)[0]["id"]
    service.send_signal(signal.SIGTERM)
    assert service.wait(timeout=20) == 0


def test_requests_get_replies_and_faults(shell: Shell):
    shell.start("run", "shop:app", until='"ready"')

    reply = shell.run("send", "clerk/k1", "--type", "shop.Invoice.v1", "--data", '{"item": "tea", "total": 2}')
    whole = shell.run("send", "clerk", "--type", "shop.Invoice.v1", "--data", '{"item": "a", "total": 1}', "--envelope")
    talk = shell.run("chat", "clerk", stdin="hello\n\nworld\n")
    fault = shell.run("send", "clerk", "--type", "shop.Invoice.v1", "--data", '{"item": "a", "total": -1}')

    assert events(reply) == [{"item": "tea", "total": 4}]
    assert events(whole)[0]["agmsgkind"] == "reply"
    assert (talk.returncode, talk.stdout) == (0, "HELLO\nWORLD\n")
    assert fault.returncode == 1
    assert "a negative total" in fault.stderr
    assert "Traceback" not in fault.stderr


def test_a_request_to_nobody_is_not_found(shell: Shell):
    shell.run("topics", "apply", "shop:app")

    ended = shell.run("send", "clark", "--type", "t", "--data", "1")

    assert ended.returncode == 4
    assert "there is no agent type 'clark'" in ended.stderr


def test_a_request_that_nobody_takes_times_out(shell: Shell):
    shell.run("topics", "apply", "shop:app")

    ended = shell.run("send", "clerk", "--type", "t", "--data", "1", "--timeout", "0.5")

    assert ended.returncode == 6
    assert len(ended.stderr.splitlines()) == 1


def test_dev_serves_several_services_and_says_what_is_where(shell: Shell):
    shell.start("dev", "shop:app", "shop:audit", until="agentopic tail audit invoice")

    shell.run("publish", "order", "--type", "shop.Order.v1", "--subject", "s1", "--data", '{"item": "tea"}')
    read = shell.run("tail", "audit", "--from-beginning", "--follow", "--max", "1")

    assert events(read)[0]["data"] == {"content": "tea: 3"}


def test_one_module_runs_local_or_distributed_by_configuration_alone(
    shell_with: Callable[[dict[str, str]], Shell],
):
    shell = shell_with({})
    data = '{"item": "tea"}'
    order = f'{{"topic": "order", "subject": "s1", "type": "shop.Order.v1", "data": {data}}}\n'

    local = shell.run("dev", "shop:app", "shop:audit", stdin=order, AUTOGEN_RUNTIME_TYPE="local")
    shell.start("dev", "shop:app", "shop:audit", until="agentopic tail")
    shell.run("publish", "order", "--type", "shop.Order.v1", "--subject", "s1", "--data", data)
    audit = shell.run("tail", "audit", "--from-beginning", "--follow", "--max", "1")

    printed = [(event["topic"], event["subject"], event["data"]) for event in events(local)]
    assert printed == [("invoice", "s1", {"item": "tea", "total": 3}), ("audit", "s1", {"content": "tea: 3"})]
    assert [(event["subject"], event["data"]) for event in events(audit)] == [("s1", {"content": "tea: 3"})]


def test_what_was_published_while_no_service_ran_is_handled_at_the_first_start(shell: Shell):
    shell.run("topics", "apply", "shop:app")
    shell.run("publish", "order", "--type", "shop.Order.v1", "--jsonl", stdin='{"item": "a"}\n{"item": "bb"}\n')

    shell.start("run", "shop:app", until='"ready"')
    read = shell.run("tail", "invoice", "--from-beginning", "--follow", "--max", "2")

    assert sorted(event["data"]["total"] for event in events(read)) == [1, 2]


def test_an_interrupted_tail_ends_with_130(shell_with: Callable[[dict[str, str]], Shell]):
    shell = shell_with({})
    tail = shell.start("tail", "order", "--wait", "60", until="waiting for topic")

    tail.send_signal(signal.SIGINT)

    assert tail.wait(timeout=20) == 130


def test_lines_are_published_as_they_come_and_an_interrupt_ends_the_publisher(
    shell_with: Callable[[dict[str, str]], Shell],
):
    shell = shell_with({})
    shell.run("topics", "apply", "shop:app")
    publisher = subprocess.Popen(
        [sys.executable, "-m", "agentopic", "publish", "order", "--type", "shop.Order.v1", "--jsonl"],
        cwd=shell.folder, env=shell.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with publisher:
        assert publisher.stdin is not None
        assert publisher.stdout is not None
        publisher.stdin.write('{"item": "tea"}\n')
        publisher.stdin.flush()

        first = json.loads(publisher.stdout.readline())
        publisher.send_signal(signal.SIGINT)

        assert first["offset"] == 0
        assert publisher.wait(timeout=20) == 130
