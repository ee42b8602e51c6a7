"""`agentopic demo` from the outside: it ends well, its figures are right, and its events can be read afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentopic.demo.check import faults
from agentopic.demo.questions import questions
from agentopic.demo.script import script
from agentopic.testing.scripted_model import ChatRequest, Reply, ScriptedModel, ToolCall, read_calls

TASKS = 8
OURS = ("AGENTOPIC_", "AUTOGEN_", "OPENAI_")


class Shell:
    """Runs `agentopic` in a folder of its own, with nothing of the machine's settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = ("AGENTOPIC_TEST_", "AGENTOPIC_BED_")
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(OURS) or name.startswith(kept)
        }

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agentopic", *arguments],
            check=False,
            cwd=self.folder,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=110,
        )

    def demo(self, *arguments: str, **variables: str) -> dict[str, Any]:
        ended = self.run("demo", "--output", "json", "--tasks", str(TASKS), *arguments, **variables)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return json.loads(ended.stdout)

    def lines(self, result: dict[str, Any], name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / result["directory"] / name).read_text().splitlines()]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def check(shell: Shell, result: dict[str, Any]) -> None:
    """What must hold on every road, counted here once more from the files of those outside."""
    figures = result["figures"]
    reports = shell.lines(result, "reports.jsonl")
    assert result["scripted"]
    assert (figures["tasks"], figures["results"], figures["lost"], figures["duplicates"]) == (TASKS, TASKS, 0, 0)
    assert sorted(report["data"]["task"] for report in reports) == [each.task for each in questions(TASKS)]
    by_task = {report["data"]["task"]: report["data"] for report in reports}
    assert [fault for each in questions(TASKS) for fault in faults(each, by_task[each.task])] == []
    assert figures["model_calls"] == len({line["call"] for line in shell.lines(result, "calls.jsonl")})


def check_kill(shell: Shell, result: dict[str, Any]) -> None:
    """What a kill may cost: the calls that were open, once more."""
    figures = result["figures"]
    fingerprints = [each["fingerprint"] for each in shell.lines(result, "calls.jsonl") if each["event"] == "opened"]
    assert result["killed"] in {"analyst-1", "analyst-2"}
    assert figures["open_at_kill"] > 0
    assert len(fingerprints) - len(set(fingerprints)) == figures["calls_repaid"] <= figures["open_at_kill"]


@pytest.mark.timeout(120)
def test_on_the_embedded_log_nothing_is_lost_though_a_worker_is_killed(shell: Shell) -> None:
    result = shell.demo("--no-progress")

    check(shell, result)
    check_kill(shell, result)
    look = shlex.split(result["look"])
    assert look[0] == "agentopic"
    tailed = shell.run(*look[1:])
    events = [json.loads(line) for line in tailed.stdout.splitlines()]
    assert sorted(event["data"]["task"] for event in events) == [each.task for each in questions(TASKS)]


@pytest.mark.timeout(120)
def test_on_kafka_with_postgres_nothing_is_lost_though_a_worker_is_killed(
    shell: Shell, kafka: str, postgres_dsn: str
) -> None:
    road = {"AGENTOPIC_TRANSPORT": f"kafka://{kafka}", "AGENTOPIC_JOURNAL": postgres_dsn}

    result = shell.demo("--no-progress", "--transport", "kafka", **road)

    check(shell, result)
    check_kill(shell, result)


@pytest.mark.timeout(120)
def test_the_same_services_run_in_one_process_when_the_environment_says_local(shell: Shell) -> None:
    result = shell.demo("--no-progress", AUTOGEN_RUNTIME_TYPE="local")

    check(shell, result)
    assert result["runtime_type"] == "local"
    assert (result["killed"], result["figures"]["open_at_kill"], result["figures"]["calls_repeated"]) == (None, 0, 0)


@pytest.mark.timeout(120)
def test_people_are_told_about_the_script_and_given_a_table(shell: Shell) -> None:
    ended = shell.run("demo", "--tasks", "2", "--runtime-type", "local")

    assert ended.returncode == 0, ended.stderr
    assert "model: a script" in ended.stderr
    assert "2 of 2 reports" in ended.stderr
    rows = {line.split("  ")[0]: line for line in ended.stdout.splitlines()}
    assert {"tasks", "results", "lost", "duplicates", "model calls", "p50 per task", "p95 per task"} <= rows.keys()
    assert "read the output events: cat .demo/" in ended.stdout


class Liar:
    """Writes programs that print another number than the one they computed."""

    async def reply(self, request: ChatRequest) -> Reply:
        said = await script.reply(request)
        calls = [
            ToolCall(name=call.name, arguments={"code": call.arguments["code"].replace("round(", "1 + round(")})
            for call in said.tool_calls
        ]
        return Reply(text=said.text, tool_calls=calls)


@pytest.mark.timeout(120)
async def test_a_provider_is_asked_when_one_is_set_and_its_wrong_numbers_fail_the_demo(shell: Shell) -> None:
    async with ScriptedModel(Liar(), shell.folder / "upstream.jsonl") as provider:
        ended = await asyncio.to_thread(
            shell.run,
            *("demo", "--tasks", "2", "--runtime-type", "local", "--output", "json"),
            OPENAI_BASE_URL=provider.base_url(),
            AGENTOPIC_DEMO_MODEL="some-model",
        )

    result = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert (result["scripted"], result["model"], result["ok"]) == (False, "some-model", False)
    assert f"model: some-model at {provider.base_url()}" in ended.stderr
    assert result["figures"]["numbers_wrong"] == result["figures"]["numbers"]
    assert result["figures"]["model_calls"] == len(read_calls(shell.folder / "upstream.jsonl"))


def test_more_tasks_than_there_are_questions_are_refused_at_once(shell: Shell) -> None:
    ended = shell.run("demo", "--tasks", "5000")

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
