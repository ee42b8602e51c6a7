"""`agentopic inbox`, and the verbs that steer runs and agents."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agentopic import DurableRuntime
from agentopic.cli.exits import Exit
from agentopic.cli.questions import check_choice, find_question
from agentopic.cli.target import load_services
from agentopic.core import AgentId
from agentopic.engine.control_client import OpenQuestion
from agentopic.errors import ConfigError, UnknownQuestionError

from .conftest import Cli, Ended

ASKING = """
from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload
from pydantic import BaseModel


@payload("shop.Refund.v1")
class Refund(BaseModel):
    order: str


@payload("shop.Decision.v1")
class Decision(BaseModel):
    answer: object


class Cashier(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("asks before it pays")

    @message_handler
    async def refund(self, message: Refund, ctx: MessageContext) -> None:
        choices = None if message.order == "open" else ["yes", "no", "later: <when>"]
        answer = await ctx.ask(f"Refund {message.order}?", choices=choices, details={"order": message.order})
        await self.publish_message(Decision(answer=answer), TopicId("decisions", self.id.key))


asked = [TypeSubscription("refunds", "cashier")]
app = AgentService("cashier", Cashier, subscriptions=asked, publishes={"decisions": Decision}, stateless=True)
"""


def serving(until: Callable[[DurableRuntime], Awaitable[Any]]) -> None:
    """Run the service until something is so, then stop it as a deployment would."""

    async def run() -> None:
        runtime = DurableRuntime()
        (service,) = load_services(["desk:app"])
        await service.register(runtime)
        async with runtime:
            await until(runtime)

    asyncio.run(run())


async def has_asked(runtime: DurableRuntime, count: int = 1) -> None:
    async with asyncio.timeout(20):
        while len(await runtime.control.questions(["cashier"])) < count:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


@pytest.fixture
def desk(cli: Cli, folder: Path) -> Callable[..., None]:
    """Have the cashier ask about orders, and stop it."""
    (folder / "desk.py").write_text(ASKING)

    def ask(*orders: str) -> None:
        cli("topics", "apply", "desk:app")
        for order in orders:
            refund = json.dumps({"order": order})
            done = cli("publish", "refunds", "--type", "shop.Refund.v1", "--data", refund, "--subject", order)
            assert done.code == 0, done.err
        serving(lambda runtime: has_asked(runtime, len(orders)))

    return ask


def decisions(cli: Cli) -> list[Any]:
    """Run the service until it is idle and return what it has decided."""

    async def until_answered(runtime: DurableRuntime) -> None:
        async with asyncio.timeout(20):
            while await runtime.control.questions(["cashier"]):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
        await runtime.stop_when_idle()

    serving(until_answered)
    lines = cli("tail", "decisions", "--from-beginning").out.splitlines()
    return [json.loads(line)["data"]["answer"] for line in lines]


def listed(cli: Cli) -> list[dict[str, Any]]:
    ended = cli("inbox", "list", "-o", "json")
    assert ended.code == Exit.DONE, ended.err
    return json.loads(ended.out)


def test_an_open_question_is_listed_while_its_service_is_down(cli: Cli, desk: Callable[..., None]):
    desk("o-1")

    (question,) = listed(cli)

    assert question["agent"] == "cashier/o-1"
    assert question["text"] == "Refund o-1?"
    assert question["choices"] == ["yes", "no", "later: <when>"]
    assert question["details"] == {"order": "o-1"}
    assert question["run"]
    assert question["asked"]


def test_the_table_shows_ids_that_can_be_typed(cli: Cli, desk: Callable[..., None]):
    desk("o-1")

    table = cli("inbox", "list").out.splitlines()
    short = table[1].split()[0]
    shown = cli("inbox", "show", short)

    assert len(short) == 17
    assert json.loads(shown.out)["id"] == listed(cli)[0]["id"]


@pytest.mark.parametrize("output", ["table", "jsonl"])
def test_one_question_is_shown_in_other_forms(cli: Cli, desk: Callable[..., None], output: str):
    desk("o-1")

    assert "Refund o-1?" in cli("inbox", "show", listed(cli)[0]["id"], "-o", output).out


def test_an_answer_waits_for_the_service_and_the_first_one_counts(cli: Cli, desk: Callable[..., None]):
    desk("o-1")
    (question,) = listed(cli)

    first = cli("inbox", "answer", question["id"], "yes")
    second = cli("inbox", "answer", question["id"], "no")

    assert (first.code, second.code) == (Exit.DONE, Exit.DONE), first.err + second.err
    assert "answered" in first.err
    assert decisions(cli) == ["yes"]


def test_after_it_was_applied_a_second_answer_is_told_so(cli: Cli, desk: Callable[..., None]):
    desk("o-1")
    (question,) = listed(cli)
    cli("inbox", "answer", question["id"], "yes")
    decisions(cli)

    late = cli("inbox", "answer", question["id"], "no")

    assert late.code == Exit.NOT_FOUND
    assert "already answered" in late.err
    assert listed(cli) == []
    assert decisions(cli) == ["yes"]


@pytest.mark.parametrize(
    ("order", "arguments", "stdin", "answer"),
    [
        ("o-1", ("later: tomorrow",), "", "later: tomorrow"),
        ("o-1", ("maybe", "--free"), "", "maybe"),
        ("open", ('{"amount": 3}', "--json"), "", {"amount": 3}),
        ("open", ("-",), "a long\nstory\n", "a long\nstory"),
        ("open", ("-", "--json"), "[1, 2]\n", [1, 2]),
    ],
)
def test_answers_are_texts_or_json(
    cli: Cli, desk: Callable[..., None], order: str, arguments: tuple[str, ...], stdin: str, answer: Any
):
    desk(order)

    ended = cli("inbox", "answer", listed(cli)[0]["id"], *arguments, stdin=stdin)

    assert ended.code == Exit.DONE, ended.err
    assert decisions(cli) == [answer]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("maybe",), "none of the choices (yes, no, later: <when>)"),
        (("1", "--json"), "none of"),
        (("{", "--json"), "no JSON"),
    ],
)
def test_an_answer_that_cannot_be_meant_is_refused(
    cli: Cli, desk: Callable[..., None], arguments: tuple[str, ...], says: str
):
    desk("o-1")

    ended = cli("inbox", "answer", listed(cli)[0]["id"], *arguments)

    assert ended.code == Exit.USAGE
    assert says in ended.err


def question(turn: str, step: str, choices: list[Any] | None = None) -> OpenQuestion:
    return OpenQuestion(id=f"{turn}.{step}", agent=AgentId("a", "k"), asked_ms=0, note={"choices": choices})


def test_beginnings_of_both_parts_name_a_question():
    asked = [question("ab12", "cd34"), question("ab12", "ef56")]

    assert find_question(asked, "ab.ef") is asked[1]


def test_a_name_that_fits_several_questions_names_none():
    with pytest.raises(ConfigError, match="fits 2"):
        find_question([question("ab12", "cd34"), question("ab34", "cd56")], "ab.cd")


def test_a_name_without_an_open_question_is_unknown():
    with pytest.raises(UnknownQuestionError, match="not open"):
        find_question([question("ab12", "cd34")], "ff.ff")


def test_what_is_no_name_is_said():
    with pytest.raises(ConfigError, match=r"TURN\.STEP"):
        find_question([], "nonsense")


@pytest.mark.parametrize(
    ("choices", "value"), [(None, 1), ([], "x"), (["a.c"], "a.c"), ([1, 2], 2), (["done: <result>"], "done: a\nb")]
)
def test_choices_allow(choices: list[Any] | None, value: Any):
    check_choice(question("a", "b", choices), value)


@pytest.mark.parametrize(("choices", "value"), [(["a.c"], "abc"), (["yes"], True), (["done: <result>"], "done")])
def test_choices_refuse(choices: list[Any], value: Any):
    with pytest.raises(ConfigError, match="none of the choices"):
        check_choice(question("a", "b", choices), value)


# ── runs and agents ────────────────────────────────────────────────────────────────────────────────────────


def control_events(cli: Cli) -> list[dict[str, Any]]:
    ended: Ended = cli("tail", "agentopic.control.clerk", "--raw", "--from-beginning")
    return [json.loads(line) for line in ended.out.splitlines()]


def test_a_run_is_cancelled_in_all_agent_types(cli: Cli, shop: str):
    cli("topics", "apply", shop)

    ended = cli("runs", "cancel", "run-1")

    assert ended.code == Exit.DONE, ended.err
    (command,) = control_events(cli)
    assert (command["type"], command["data"]) == ("agentopic.CancelRun.v1", {"run": "run-1"})


@pytest.mark.parametrize(("verb", "kind"), [("pause", "agentopic.Pause.v1"), ("resume", "agentopic.Resume.v1")])
def test_an_agent_is_paused_and_resumed(cli: Cli, shop: str, verb: str, kind: str):
    cli("topics", "apply", shop)

    ended = cli("agents", verb, "clerk", "ann")

    assert ended.code == Exit.DONE, ended.err
    (command,) = control_events(cli)
    assert (command["type"], command["agtargetkey"]) == (kind, "ann")


def test_an_agent_type_that_never_was_here_is_not_found(cli: Cli, shop: str):
    cli("topics", "apply", shop)

    assert cli("agents", "pause", "nobody", "k").code == Exit.NOT_FOUND
