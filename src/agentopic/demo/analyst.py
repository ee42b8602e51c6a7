"""The analyst: answers one part of a question by running Python on the data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agentopic import AgentService
from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.base import Response
from agentopic.agentchat.messages import TextMessage, ToolCallExecutionEvent, ToolCallRequestEvent
from agentopic.core import MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler
from agentopic.core.models import ChatCompletionClient
from agentopic.demo.dataset import DESCRIPTION, FILE_NAME, data_file
from agentopic.demo.measures import MEANINGS
from agentopic.demo.model import model_client
from agentopic.demo.payloads import Finding, Number, Part, PartPlan
from agentopic.errors import ModelError
from agentopic.ext.code_executors.local import LocalCommandLineCodeExecutor
from agentopic.ext.tools.code_execution import PythonCodeExecutionTool

INSTRUCTIONS = (
    "You answer questions about daily weather in Seattle by running Python, standard library only. "
    f"The working directory holds the data: {DESCRIPTION} "
    "The program's last line of output must be one JSON object with a number for each measure, rounded to two "
    "decimals. If it fails, correct it and run it again. When it has run, say in one sentence what was computed."
)
_ROUNDS = 4
_TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run of a program the model wrote."""

    code: str
    output: str


class Analyst(RoutedAgent):
    """Takes a part, publishes what it found."""

    def __init__(self, model: ChatCompletionClient | None = None) -> None:
        super().__init__("computes the answer to a part")
        self._model = model or model_client()
        self._executor = LocalCommandLineCodeExecutor(timeout=_TIMEOUT_SECONDS)
        (self._executor.work_dir / FILE_NAME).symlink_to(data_file())
        self._tool = PythonCodeExecutionTool(self._executor)
        # The programs read one file and print: a run that a crash has cut off may be made again.
        self._tool.effect = "pure"

    @message_handler
    async def on_part(self, message: Part, ctx: MessageContext) -> None:
        """Let an assistant compute the part, and publish the numbers its program printed."""
        assistant = AssistantAgent(
            "analyst",
            self._model,
            tools=[self._tool],
            system_message=INSTRUCTIONS,
            max_tool_iterations=_ROUNDS,
            reflect_on_tool_use=False,
        )
        asked = TextMessage(content=prompt(message), source="user")
        response = await assistant.on_messages([asked], ctx.cancellation_token)
        run, values = _last_result(response, message.plan)
        finding = Finding(
            task=message.task,
            question=message.question,
            part=message.number,
            parts=message.parts,
            numbers=_numbers(message.plan, values),
            code=run.code,
        )
        await self.publish_message(finding, TopicId("finding", message.task))

    async def close(self) -> None:
        """Remove the working directory."""
        await self._executor.stop()


def prompt(part: Part) -> str:
    """Return what the model is asked about a part."""
    plan = part.plan
    lines = [f"- {name}: {MEANINGS[name].definition}" for name in plan.measures]
    head = f"Task {part.task}, part {part.number} of {part.parts}: {plan.label}"
    return "\n".join([head, f"Days: {plan.start} to {plan.end}, both included", "Measures:", *lines])


def _last_result(response: Response, plan: PartPlan) -> tuple[_Run, dict[str, float]]:
    for run in reversed(list(_runs(response.inner_messages or ()))):
        values = _values(run.output)
        if values.keys() >= set(plan.measures):
            return run, values
    raise ModelError("no program of the model printed a number for every measure")


def _runs(events: Sequence[Any]) -> Iterator[_Run]:
    programs: dict[str, str] = {}
    for event in events:
        if isinstance(event, ToolCallRequestEvent):
            programs.update({call.id: call.arguments for call in event.content})
        elif isinstance(event, ToolCallExecutionEvent):
            for result in event.content:
                if not result.is_error:
                    code = json.loads(programs[result.call_id])["code"]
                    yield _Run(code=code, output=result.content)


def _values(output: str) -> dict[str, float]:
    """Return the numbers of the last line; none when it is no JSON object of numbers."""
    lines = output.strip().splitlines()
    try:
        found: Any = json.loads(lines[-1]) if lines else None
        return {name: float(value) for name, value in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _numbers(plan: PartPlan, values: dict[str, float]) -> list[Number]:
    return [
        Number(
            measure=measure,
            label=plan.label,
            start=plan.start,
            end=plan.end,
            value=values[measure],
            unit=MEANINGS[measure].unit,
        )
        for measure in plan.measures
    ]


app = AgentService(
    "analyst",
    Analyst,
    subscriptions=[TypeSubscription("part", "analyst")],
    publishes={"finding": Finding},
    stateless=True,
    concurrency=4,
)
