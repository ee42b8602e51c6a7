"""Which kind of call it is, who writes the answer, and how long that takes."""

from __future__ import annotations

import random
from typing import Any

from agentopic.demo.script.plan import plan_for
from agentopic.demo.script.program import program_for
from agentopic.demo.script.wording import wording_for
from agentopic.testing.scripted_model import ChatRequest, Reply, ToolCall

_LATENCY_SECONDS = (0.15, 0.40)
_RUNS = 3


class Author:
    """Answers the planner, the analyst and the editor; told apart by what they ask for."""

    async def reply(self, request: ChatRequest) -> Reply:
        """Return an answer made from the request's text."""
        latency = random.Random(request.fingerprint).uniform(*_LATENCY_SECONDS)
        asked = request.text_of("user")
        match _form(request):
            case "Plan":
                return Reply(text=plan_for(asked), latency_seconds=latency)
            case "Wording":
                return Reply(text=wording_for(asked), latency_seconds=latency)
            case _ if request.body.get("tools"):
                return _analysis(request, asked, latency)
            case form:
                return Reply(status=400, text=f"the script has no answer of the form {form!r}")


def _form(request: ChatRequest) -> str:
    response_format: dict[str, Any] = request.body.get("response_format") or {}
    schema: dict[str, Any] = response_format.get("json_schema") or {}
    return str(schema.get("name", ""))


def _analysis(request: ChatRequest, asked: str, latency: float) -> Reply:
    """Write the program; when it has run, say so; when it has not, or nobody knows, have it run again."""
    runs = [message for message in request.messages if message.get("role") == "tool"]
    if runs and _printed_numbers(request.text_of("tool")):
        return Reply(text=f"Computed by a program over the data: {asked.splitlines()[0]}.", latency_seconds=latency)
    if len(runs) >= _RUNS:
        return Reply(text="The program does not run here.", latency_seconds=latency)
    call = ToolCall(name="CodeExecutor", arguments={"code": program_for(asked)})
    return Reply(tool_calls=[call], latency_seconds=latency)


def _printed_numbers(output: str) -> bool:
    last = output.strip().splitlines()[-1:]
    return bool(last) and last[0].startswith("{") and last[0].endswith("}")


script = Author()
