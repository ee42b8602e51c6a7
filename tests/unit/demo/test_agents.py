"""The three agents on the in-process runtime: what they publish, whatever order and answers come."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agentopic.core import (
    AgentId,
    BaseAgent,
    ClosureAgent,
    ClosureContext,
    MessageContext,
    SingleThreadedAgentRuntime,
    TopicId,
    TypeSubscription,
)
from agentopic.core.models import ChatCompletionClient, ModelInfo
from agentopic.demo.analyst import Analyst
from agentopic.demo.check import expected, faults
from agentopic.demo.editor import Editor
from agentopic.demo.model import client_for
from agentopic.demo.payloads import Finding, Number, Part, PartPlan, Report, Task
from agentopic.demo.planner import Planner
from agentopic.demo.questions import questions
from agentopic.demo.script import script
from agentopic.ext.models.replay import ReplayChatCompletionClient
from agentopic.testing.scripted_model import ChatRequest, Reply, ScriptedModel, ToolCall

ABLE = ModelInfo(vision=False, function_calling=True, json_output=True, structured_output=True, family="unknown")
JULY = PartPlan(
    label="July 2013", start=dt.date(2013, 7, 1), end=dt.date(2013, 7, 31), measures=["rainy_days", "mean_temp_max"]
)
PART = Part(task="t", question="?", number=1, parts=1, plan=JULY)


class Sketch:
    """Answers like the demo's script, at once, or with what a test has prepared."""

    def __init__(self, *prepared: Reply) -> None:
        self.prepared = list(prepared)

    async def reply(self, request: ChatRequest) -> Reply:
        if self.prepared:
            return self.prepared.pop(0)
        said = await script.reply(request)
        return Reply(text=said.text, tool_calls=said.tool_calls)


@pytest.fixture
async def sketch(tmp_path: Path) -> AsyncIterator[tuple[Sketch, ChatCompletionClient]]:
    answers = Sketch()
    async with ScriptedModel(answers, tmp_path / "calls.jsonl") as server:
        client = client_for("some-model", server.base_url("test"))
        yield answers, client
        await client.close()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def replayed(*answers: dict[str, Any]) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient([json.dumps(answer) for answer in answers], ABLE)


async def published(agents: dict[str, BaseAgent], heard: str, kind: type, messages: Sequence[Any]) -> list[Any]:
    """Let agents hear messages, one topic type each, and return what came out on topic type `heard`."""
    runtime = SingleThreadedAgentRuntime()
    for topic, agent in agents.items():
        await agent.register_instance(runtime, _id(topic))
        await runtime.add_subscription(TypeSubscription(topic, topic))
    found = list[Any]()

    async def keep(_agent: ClosureContext, message: Any, _ctx: MessageContext) -> None:
        found.append(message)

    keep.__annotations__["message"] = kind
    await ClosureAgent.register_closure(
        runtime, "keeper", keep, subscriptions=lambda: [TypeSubscription(heard, "keeper")]
    )
    runtime.start()
    for message in messages:
        await runtime.publish_message(message, TopicId(next(iter(agents)), "k"))
    await runtime.stop_when_idle()
    await runtime.close()
    return found


def _id(agent_type: str) -> AgentId:
    return AgentId(agent_type, "k")


async def test_the_planner_publishes_one_part_per_period() -> None:
    plan = {"parts": [JULY.model_dump(mode="json"), {**JULY.model_dump(mode="json"), "label": "again"}]}

    parts = await published({"task": Planner(replayed(plan))}, "part", Part, [Task(task="t", question="?")])

    assert [(part.number, part.parts, part.plan.label) for part in parts] == [(1, 2, "July 2013"), (2, 2, "again")]


async def test_a_plan_that_is_none_is_sent_back_with_what_is_wrong() -> None:
    model = replayed({"parts": []}, {"plan": 1}, {"parts": [JULY.model_dump(mode="json")]})

    parts = await published({"task": Planner(model)}, "part", Part, [Task(task="t", question="?")])

    assert len(parts) == 1
    complaints = [call["messages"][-1].content for call in model.create_calls[1:]]
    assert complaints[0] == "The plan has no part."
    assert "does not have the form asked for" in complaints[1]


async def test_the_analyst_publishes_the_numbers_its_program_printed(sketch) -> None:
    (finding,) = await published({"part": Analyst(sketch[1])}, "finding", Finding, [PART])

    values = {number.measure: number.value for number in finding.numbers}
    assert values == {
        "rainy_days": float(expected("rainy_days", JULY.start, JULY.end)),
        "mean_temp_max": pytest.approx(float(expected("mean_temp_max", JULY.start, JULY.end)), abs=0.00501),
    }
    assert "csv.DictReader" in finding.code


async def test_a_program_that_fails_is_corrected_by_the_model(sketch) -> None:
    broken = ToolCall(name="CodeExecutor", arguments={"code": "raise SystemExit('no')"})
    sketch[0].prepared.append(Reply(tool_calls=[broken]))

    (finding,) = await published({"part": Analyst(sketch[1])}, "finding", Finding, [PART])

    assert len(finding.numbers) == 2


async def test_numbers_that_only_the_model_says_are_not_taken(sketch, caplog: pytest.LogCaptureFixture) -> None:
    sketch[0].prepared.append(Reply(text='{"rainy_days": 5, "mean_temp_max": 20}'))

    assert await published({"part": Analyst(sketch[1])}, "finding", Finding, [PART]) == []

    assert "no program of the model printed a number for every measure" in caplog.text


def findings(count: int) -> list[Finding]:
    found: list[Finding] = []
    for part in range(1, count + 1):
        number = Number(
            measure="rainy_days", label=f"p{part}", start=JULY.start, end=JULY.end, value=part + 0.5, unit="days"
        )
        found.append(Finding(task="t", question="?", part=part, parts=count, numbers=[number], code=""))
    return found


async def test_the_editor_reports_once_whatever_the_order_and_the_repeats() -> None:
    model = replayed({"text": "First [n1], then [n2], at last [n3]."})
    arriving = [*findings(3), *findings(3)[:2]]
    random.Random(7).shuffle(arriving)

    reports = await published({"finding": Editor(model)}, "report", Report, [*arriving, *findings(3)])

    assert [report.text for report in reports] == ["First 1.5, then 2.5, at last 3.5."]


async def test_the_editor_goes_on_from_its_saved_state() -> None:
    first, second = Editor(replayed()), Editor(replayed({"text": "[n1] and [n2]"}))
    await published({"finding": first}, "report", Report, findings(2)[1:])

    await second.load_state(json.loads(json.dumps(await first.save_state())))
    reports = await published({"finding": second}, "report", Report, findings(2)[:1])

    assert [report.text for report in reports] == ["1.5 and 2.5"]


async def test_a_wording_that_leaves_a_number_out_is_sent_back() -> None:
    model = replayed({"text": "Only [n1]."}, {"text": "[n1], [n9]"}, {"text": "[n1] and [n2]."})

    reports = await published({"finding": Editor(model)}, "report", Report, findings(2))

    assert [report.text for report in reports] == ["1.5 and 2.5."]


async def test_the_pipeline_answers_questions_and_the_checker_agrees(sketch) -> None:
    asked = questions(6)
    tasks = [Task(task=each.task, question=each.text) for each in asked]
    runtime = SingleThreadedAgentRuntime()
    await Planner.register(runtime, "task", lambda: Planner(sketch[1]))
    await Analyst.register(runtime, "part", lambda: Analyst(sketch[1]))
    await Editor.register(runtime, "finding", lambda: Editor(sketch[1]))
    for topic in ("task", "part", "finding"):
        await runtime.add_subscription(TypeSubscription(topic, topic))
    reports = list[Report]()

    async def keep(_agent: ClosureContext, message: Report, _ctx: MessageContext) -> None:
        reports.append(message)

    await ClosureAgent.register_closure(
        runtime, "keeper", keep, subscriptions=lambda: [TypeSubscription("report", "keeper")]
    )
    runtime.start()

    for task in tasks:
        await runtime.publish_message(task, TopicId("task", task.task))
    await runtime.stop_when_idle()
    await runtime.close()

    by_task = {report.task: report for report in reports}
    assert len(reports) == len(asked)
    assert [faults(each, by_task[each.task].model_dump(mode="json")) for each in asked] == [[]] * len(asked)
