from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.approval import (
    ApprovalPolicy,
    ApprovalRule,
    ApprovalWorkbench,
    ToolApprovalRequest,
    ToolApprovalResponse,
)
from agentopic.agentchat.messages import ToolCallExecutionEvent
from agentopic.core import ComponentLoader
from agentopic.core.tools import FunctionTool, StaticStreamWorkbench, StaticWorkbench
from agentopic.errors import ComponentError

from .durable_desk import answered_after_a_restart
from .model_script import calling, scripted

CALL = ("pay", '{"to": "ann", "cents": 700}')
REFUSED = "The call of pay was refused and has not been made: "


class Till:
    """Counts what was paid."""

    def __init__(self) -> None:
        self.paid: list[int] = []

    def tools(self) -> list[Any]:
        return [FunctionTool(self.pay, description="Pays.")]

    async def pay(self, to: str, cents: int) -> str:
        self.paid.append(cents)
        return f"{to} has {cents}"


def asking(**rule: Any) -> ApprovalPolicy:
    return ApprovalPolicy(rules=[ApprovalRule(decision="ask", tool="pay", **rule)], default="allow")


async def told(policy: ApprovalPolicy, till: Till, **options: Any) -> str:
    agent = AssistantAgent("a", scripted(calling(CALL)), tools=till.tools(), tool_approval=policy, **options)
    messages = (await agent.run(task="t")).messages
    (event,) = [message for message in messages if isinstance(message, ToolCallExecutionEvent)]
    return event.content[0].content


@pytest.mark.parametrize(
    ("rules", "decision"),
    [
        ([], "ask"),
        ([ApprovalRule(decision="allow")], "allow"),
        ([ApprovalRule(decision="deny", tool="p*"), ApprovalRule(decision="allow")], "deny"),
        ([ApprovalRule(decision="deny", tool="refund")], "ask"),
        ([ApprovalRule(decision="allow", arguments={"to": "ann"})], "allow"),
        ([ApprovalRule(decision="allow", arguments={"to": "Ann"})], "ask"),
        ([ApprovalRule(decision="allow", arguments={"cents": "[1-7]??"})], "allow"),
        ([ApprovalRule(decision="allow", arguments={"to": "ann", "cents": "5"})], "ask"),
        ([ApprovalRule(decision="allow", arguments={"missing": "*"})], "ask"),
        ([ApprovalRule(decision="allow", arguments={"tags": '["a", "b"]'})], "allow"),
    ],
)
def test_the_first_rule_that_fits_decides(rules: list[ApprovalRule], decision: str) -> None:
    policy = ApprovalPolicy(rules=rules)

    rule = policy.rule_for("pay", {"to": "ann", "cents": 700, "tags": ["a", "b"]})

    assert rule.decision == decision


async def test_an_allowed_call_is_made() -> None:
    till = Till()

    text = await told(ApprovalPolicy(default="allow"), till)

    assert text == "ann has 700"


async def test_a_denied_call_is_not_made_and_the_model_is_told_why() -> None:
    till = Till()
    policy = ApprovalPolicy(rules=[ApprovalRule(decision="deny", tool="pay", reason="no money today")])

    text = await told(policy, till)

    assert text == f"{REFUSED}no money today"
    assert not till.paid


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (True, "ann has 700"),
        (False, f"{REFUSED}a person was asked and said no"),
        (ToolApprovalResponse(approved=True), "ann has 700"),
        (ToolApprovalResponse(approved=False, reason="too much"), f"{REFUSED}too much"),
    ],
)
async def test_a_function_is_asked(answer: Any, text: str) -> None:
    asked: list[ToolApprovalRequest] = []

    async def later(request: ToolApprovalRequest) -> Any:
        asked.append(request)
        return answer

    assert await told(asking(reason="it is money"), Till(), tool_approval_func=later) == text
    assert await told(asking(reason="it is money"), Till(), tool_approval_func=lambda request: answer) == text
    (request,) = asked
    assert (request.tool, request.arguments, request.call_id) == ("pay", {"to": "ann", "cents": 700}, "0")
    assert request.reason == "it is money"


async def test_without_anybody_to_ask_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.readline", lambda: "", raising=False)
    till = Till()

    text = await told(asking(), till)

    assert text == f"{REFUSED}there is nobody to ask"
    assert not till.paid


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("allow", "ann has 700"),
        ("deny", f"{REFUSED}a person was asked and said no"),
        ("deny: pay bob instead", f"{REFUSED}pay bob instead"),
        ("pay bob instead", f"{REFUSED}pay bob instead"),
        ({"approved": True}, "ann has 700"),
        ({"approved": False, "reason": "no"}, f"{REFUSED}no"),
        ({"something": "else"}, f"{REFUSED}a person was asked and said no"),
        (17, f"{REFUSED}a person was asked and said no"),
        (True, "ann has 700"),
    ],
)
async def test_a_question_waits_in_the_durable_inbox_through_a_restart(answer: Any, text: str) -> None:
    till = Till()

    def agent() -> AssistantAgent:
        return AssistantAgent("a", scripted(calling(CALL)), tools=till.tools(), tool_approval=asking(reason="money"))

    question, said = await answered_after_a_restart(agent, answer)

    assert question.note["text"] == "Call the tool pay? (money)"
    assert question.note["choices"] == ["allow", "deny", "deny: <why>"]
    assert question.note["details"]["arguments"] == {"to": "ann", "cents": 700}
    assert said[-1]["content"] == text
    assert till.paid == ([700] if text.startswith("ann") else [])


async def test_questions_of_calls_made_side_by_side_are_told_apart() -> None:
    till, asked = Till(), []

    async def answer(request: ToolApprovalRequest) -> bool:
        asked.append(request.call_id)
        return request.arguments["cents"] == 1

    calls = [("pay", f'{{"to": "x", "cents": {cents}}}') for cents in (1, 2)]
    agent = AssistantAgent(
        "a", scripted(calling(*calls)), tools=till.tools(), tool_approval=asking(), tool_approval_func=answer
    )

    await agent.run(task="t")

    assert sorted(asked) == ["0", "1"]
    assert till.paid == [1]


async def test_a_policy_of_a_workbench_is_written_as_json() -> None:
    policy = ApprovalPolicy(rules=[ApprovalRule(decision="deny", arguments={"to": "bob"})])
    dumped = ApprovalWorkbench(StaticStreamWorkbench([]), policy).dump_component()

    loaded = ComponentLoader.load_component(dumped.model_dump(), ApprovalWorkbench)

    assert loaded.dump_component() == dumped


async def test_an_agents_policy_is_written_as_json() -> None:
    agent = AssistantAgent("a", scripted("x"), tools=Till().tools(), tool_approval=ApprovalPolicy(default="deny"))
    workbenches = agent.dump_component().config["workbench"]

    assert [workbench["config"]["policy"] for workbench in workbenches] == [{"rules": [], "default": "deny"}]


def test_a_function_that_approves_cannot_be_written_as_json() -> None:
    workbench = ApprovalWorkbench(StaticWorkbench([]), ApprovalPolicy(), approval_func=lambda request: True)

    with pytest.raises(ComponentError, match="approval_func"):
        workbench.dump_component()


async def test_a_governed_workbench_is_otherwise_the_other_one() -> None:
    till = Till()
    inner = StaticWorkbench(till.tools())
    workbench = ApprovalWorkbench(inner, ApprovalPolicy(default="allow"))

    async with workbench:
        result = await workbench.call_tool("pay", {"to": "ann", "cents": 1})
        streamed = [item async for item in workbench.call_tool_stream("pay", {"to": "ann", "cents": 2})]
        await workbench.reset()

    assert await workbench.list_tools() == await inner.list_tools()
    assert await workbench.save_state() == await inner.save_state()
    await workbench.load_state(await inner.save_state())
    assert [result.to_text(), streamed[-1].to_text()] == ["ann has 1", "ann has 2"]


async def test_a_waiting_question_ends_with_its_run() -> None:
    waiting = asyncio.Event()

    async def never(request: ToolApprovalRequest) -> bool:
        waiting.set()
        return await asyncio.Future()

    till = Till()
    running = asyncio.create_task(told(asking(), till, tool_approval_func=never))
    await waiting.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert not till.paid
