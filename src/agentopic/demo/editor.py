"""The editor: gathers the findings of one task, in whatever order they come, and writes the report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from agentopic import AgentService
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.core.models import ChatCompletionClient, SystemMessage, UserMessage
from agentopic.demo.measures import MEANINGS, shown
from agentopic.demo.model import model_client
from agentopic.demo.payloads import Finding, Number, Report
from agentopic.demo.structured import ask

INSTRUCTIONS = (
    "You write short reports on the weather. You are given a question and numbers that were computed to answer it, "
    "each with a mark such as [n1]. Answer the question in a few sentences. Wherever a number belongs, write its "
    "mark, never its digits; use every mark once. Apart from the names of periods, write no digits."
)
_MARK = re.compile(r"\[n\d+\]")


class Wording(BaseModel):
    """What the model answers."""

    text: str = Field(description="the report, with marks for numbers")


class Gathered(BaseModel):
    """The editor's state: the findings of its task, by part."""

    findings: dict[int, Finding] = Field(default_factory=dict[int, Finding])
    reported: bool = False


class Editor(RoutedAgent):
    """Takes findings, publishes one report when those of all parts are there. One editor per task."""

    def __init__(self, model: ChatCompletionClient | None = None) -> None:
        super().__init__("writes the report on a task")
        self._model = model or model_client()
        self._gathered = Gathered()

    @message_handler
    async def on_finding(self, message: Finding, ctx: MessageContext) -> None:
        """Keep a finding; with the last one, write the report."""
        self._gathered.findings.setdefault(message.part, message)
        if self._gathered.reported or len(self._gathered.findings) < message.parts:
            return
        numbers = [each for _, finding in sorted(self._gathered.findings.items()) for each in finding.numbers]
        text = await self._worded(message, numbers)
        report = Report(task=message.task, question=message.question, text=text, numbers=numbers)
        await self.publish_message(report, TopicId("report", message.task))
        self._gathered.reported = True

    async def save_state(self) -> Mapping[str, Any]:
        """Return what has been gathered."""
        return self._gathered.model_dump(mode="json")

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what has been gathered."""
        self._gathered = Gathered.model_validate(state)

    async def _worded(self, finding: Finding, numbers: list[Number]) -> str:
        marks = {f"[n{position}]": number for position, number in enumerate(numbers, start=1)}
        lines = [f"{mark} {_described(number)}" for mark, number in marks.items()]
        asked = "\n".join([f"Task {finding.task}: {finding.question}", "Numbers:", *lines])
        messages = [SystemMessage(content=INSTRUCTIONS), UserMessage(content=asked, source="user")]
        wording = await ask(self._model, messages, Wording, lambda given: _fault(given.text, set(marks)))
        return _MARK.sub(lambda found: shown(marks[found[0]].value), wording.text)


def _described(number: Number) -> str:
    return f"{MEANINGS[number.measure].words}, {number.label}: {shown(number.value)} {number.unit}"


def _fault(text: str, marks: set[str]) -> str:
    used = set(_MARK.findall(text))
    lacking, unknown = sorted(marks - used), sorted(used - marks)
    if lacking:
        return f"These marks are not used: {', '.join(lacking)}"
    return f"There are no such marks: {', '.join(unknown)}" if unknown else ""


app = AgentService(
    "editor",
    Editor,
    subscriptions=[TypeSubscription("finding", "editor")],
    publishes={"report": Report},
    concurrency=8,
)
