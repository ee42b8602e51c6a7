"""The Magentic-One team that is put together already."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentopic.ext.code_executors.local import LocalCommandLineCodeExecutor
from agentopic.ext.teams._file_reading import FileReading
from agentopic.ext.teams.magentic_one import MagenticOne

from .casts import Cast, ledger

C = Cast()


def approve(request: object) -> object:
    raise AssertionError(f"no code is run here: {request}")


async def test_the_team_answers_with_its_agents(tmp_path: Path) -> None:
    answers = "facts", "plan", ledger("FileSurfer"), "found it", ledger(satisfied=True), "the answer"
    model = C.client(*answers, function_calling=True, json_output=True)
    executor = LocalCommandLineCodeExecutor(work_dir=tmp_path)
    team = MagenticOne(model, code_executor=executor, approval_func=approve, hil_mode=True)  # pyright: ignore[reportArgumentType] - never asked

    result = await team.run(task="what is in the notes?")

    assert [message.source for message in result.messages[-3:]] == [
        "MagenticOneOrchestrator",
        "FileSurfer",
        "MagenticOneOrchestrator",
    ]
    assert result.messages[-1].to_text() == "the answer"


async def test_a_single_participant_goes_on_whatever_name_the_ledger_has() -> None:
    answers = "facts", "plan", ledger("somebody"), ledger(satisfied=True), "the answer"
    team = C.teams.MagenticOneGroupChat([C.Teller("a")], C.client(*answers, function_calling=True, json_output=True))

    result = await team.run(task="hi")

    assert [message.source for message in result.messages[-2:]] == ["a", "MagenticOneOrchestrator"]


def test_a_model_that_calls_no_tools_is_refused() -> None:
    with pytest.raises(ValueError, match="function_calling and json_output"):
        MagenticOne(C.client("x"))


async def test_files_outside_of_the_directory_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "notes").write_text("n" * 8001)
    files = FileReading(tmp_path / "open")

    assert await files.list_directory() == "notes"
    assert await files.read_file("../secret") == "'../secret' is no file here"
    assert await files.read_file("notes", 2) == "part 2 of 2\nn"
    assert await files.read_file("notes", 3) == "'notes' has 2 parts"
