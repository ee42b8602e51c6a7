"""What the scripted model writes: programs that run and compute the right numbers, wordings with marks only."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentopic.demo.analyst import prompt
from agentopic.demo.calendar import month, season, year
from agentopic.demo.check import expected
from agentopic.demo.dataset import data_file
from agentopic.demo.measures import MEASURES
from agentopic.demo.payloads import Part, PartPlan
from agentopic.demo.script import script
from agentopic.demo.script.program import program_for
from agentopic.demo.script.wording import wording_for
from agentopic.testing.scripted_model import ChatRequest, Reply

UNKNOWN = "The outcome of this call is unknown: it was under way when its process died."
TOOLS: list[dict[str, Any]] = [{"type": "function", "function": {"name": "CodeExecutor"}}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(data_file(), tmp_path)
    return tmp_path


def part(label: str, start: dt.date, end: dt.date) -> Part:
    plan = PartPlan(label=label, start=start, end=end, measures=list(MEASURES))
    return Part(task="t", question="?", number=1, parts=1, plan=plan)


@pytest.mark.parametrize("period", [month(2012, 2), season("winter", 2012), year(2015)], ids=lambda p: p.label)
def test_a_program_computes_every_measure_as_the_independent_computation_does(period, folder: Path) -> None:
    program = program_for(prompt(part(period.label, period.start, period.end)))

    ended = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)

    printed = json.loads(ended.stdout)
    right = {measure: float(expected(measure, period.start, period.end)) for measure in MEASURES}
    assert printed == pytest.approx(right, abs=0.00501)


def test_a_wording_uses_each_mark_once_and_no_digits_of_its_own() -> None:
    asked = (
        "Task t: How did July 2013 compare with July 2014: rainy days?\nNumbers:\n"
        "[n1] rainy days, July 2013: 0 days\n[n2] rainy days, July 2014: 3 days"
    )

    text = json.loads(wording_for(asked))["text"]

    assert sorted(re.findall(r"\[n\d+\]", text)) == ["[n1]", "[n2]"]
    assert set(re.findall(r"\d+", re.sub(r"\[n\d+\]", "", text))) == {"2013", "2014"}
    assert "July 2014 had the most" in text


async def test_a_program_whose_outcome_is_unknown_is_run_again() -> None:
    asked = prompt(part("July 2013", dt.date(2013, 7, 1), dt.date(2013, 7, 31)))
    first = await _reply(_user(asked))

    again = await _reply(_user(asked), _tool(UNKNOWN))

    assert again.tool_calls == first.tool_calls
    assert len(again.tool_calls) == 1


async def test_a_program_that_never_runs_is_given_up() -> None:
    failures = [_tool("Traceback: no such file")] * 3

    given_up = await _reply(_user("Days: …"), *failures)

    assert not given_up.tool_calls


async def test_once_numbers_were_printed_no_program_is_run_any_more() -> None:
    said = await _reply(_user("Task t, part 1 of 2: July 2013"), _tool('{"rainy_days": 0}\n'))

    assert not said.tool_calls
    assert "July 2013" in said.text


async def test_what_the_script_does_not_know_is_refused() -> None:
    refused = await script.reply(ChatRequest(caller="", body={"messages": [_user("hello")]}))

    assert refused.status == 400


async def _reply(*messages: dict[str, Any]) -> Reply:
    return await script.reply(ChatRequest(caller="", body={"messages": list(messages), "tools": TOOLS}))


def _user(content: str) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _tool(content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "1", "content": content}
