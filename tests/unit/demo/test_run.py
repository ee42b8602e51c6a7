"""The parts of a run that can be looked at without one: folder, provider, road, those outside."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentopic.demo import outside
from agentopic.demo.folder import RunFolder
from agentopic.demo.provider import Provider
from agentopic.demo.road import Road
from agentopic.settings import Settings
from agentopic.settings.environment import child_environment

PROGRAMS = sorted(Path(outside.__path__[0]).glob("[a-z]*.py"))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_those_outside_import_nothing_of_ours(program: Path) -> None:
    nodes = list(ast.walk(ast.parse(program.read_text())))

    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    assert [name for name in imported if name.startswith((".", "agentopic"))] == []


def test_the_subscriber_keeps_every_event_of_a_pipe_repeats_included(tmp_path: Path) -> None:
    event = {"id": "1", "source": "/editor", "type": "demo.Report.v1", "data": {"task": "t"}}
    lines = (json.dumps(event) + "\n") * 2

    command = [sys.executable, str(PROGRAMS[-1]), str(tmp_path), "lines"]
    subprocess.run(command, input=lines, text=True, check=True)

    kept = [json.loads(line) for line in (tmp_path / "reports.jsonl").read_text().splitlines()]
    assert [each["id"] for each in kept] == ["1", "1"]


def test_a_run_removes_what_former_runs_left_unless_they_were_told_to_keep_it() -> None:
    former, kept = RunFolder(keep=False), RunFolder(keep=True)
    former.close()
    kept.close()

    now = RunFolder(keep=False)

    assert [each.path.exists() for each in (former, kept, now)] == [False, True, True]


def test_a_run_leaves_another_one_that_is_under_way_alone() -> None:
    other = RunFolder(keep=False)

    RunFolder(keep=False)

    assert other.path.exists()


def test_a_line_that_is_being_written_is_not_read() -> None:
    folder = RunFolder(keep=False)
    (folder.path / "reports.jsonl").write_text('{"a": 1}\n{"a": ')

    assert folder.lines("reports.jsonl") == [{"a": 1}]


def test_without_a_provider_a_script_answers_and_people_are_told() -> None:
    provider = Provider.of(Settings())

    assert provider.scripted
    assert "a script, because neither OPENAI_API_KEY nor OPENAI_BASE_URL is set" in provider.announcement


def test_a_compatible_server_is_asked_for_the_model_that_was_named() -> None:
    provider = Provider.of(Settings(openai_base_url="http://localhost:11434/v1", demo_model="some-model"))

    assert provider.announcement == "model: some-model at http://localhost:11434/v1"
    assert "--forward" in provider.command(Path("calls.jsonl"))


def test_a_key_alone_means_openai() -> None:
    provider = Provider.of(Settings(openai_api_key="sk-1"))

    assert (provider.scripted, provider.key, provider.upstream) == (False, "sk-1", "https://api.openai.com/v1")


def test_the_command_to_read_the_events_shows_no_password() -> None:
    road = Road(transport="kafka://me:secret@broker:9092", journal="postgresql://me:secret@db/a", namespace="n")

    assert "secret" not in road.look(Path(".demo/1")) + road.described


def test_a_child_is_told_its_own_settings_and_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPIC_TOPICS", "verify")
    monkeypatch.setenv("AUTOGEN_RUNTIME_TYPE", "local")
    monkeypatch.setenv("AGENTOPIC_BED_CACHE", "somewhere")

    told = child_environment({"AGENTOPIC_NAMESPACE": "n"})

    ours = {name: value for name, value in told.items() if name.startswith(("AGENTOPIC_", "AUTOGEN_"))}
    assert ours == {"AGENTOPIC_NAMESPACE": "n", "AGENTOPIC_BED_CACHE": "somewhere"}
    assert told["PATH"] == os.environ["PATH"]
