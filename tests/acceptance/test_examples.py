"""The examples are short and do what their first lines say, each in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llmock.testing import LLMockServer

EXAMPLES = Path(__file__).parents[2] / "examples"
LINES = 60


class Folder:
    """An empty working directory, with what a user types in it; whatever still runs is ended with the test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPIC_", "AUTOGEN_"))}
        self.environment = kept | {"XDG_CONFIG_HOME": str(path), "PYTHONPATH": str(EXAMPLES), "PYTHONUNBUFFERED": "1"}
        self._started: list[subprocess.Popen[str]] = []

    def python(self, *arguments: str, **variables: str) -> str:
        """Run to the end and return what was printed."""
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path, env=self.environment | variables, capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def example(self, name: str, *arguments: str, **variables: str) -> str:
        return self.python(str(EXAMPLES / f"{name}.py"), *arguments, **variables)

    def agentopic(self, *arguments: str) -> str:
        return self.python("-m", "agentopic", *arguments)

    def events(self, *topics: str, count: int) -> list[dict[str, Any]]:
        """Wait for so many events on topics and return them."""
        printed = self.agentopic("tail", *topics, "--from-beginning", "--follow", "--max", str(count), "--wait", "20")
        return [json.loads(line) for line in printed.splitlines()]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a process whose standard output can be read."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.path, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    return iter(process.stdout.readline, "")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.end()


@pytest.fixture
def on_kafka(folder: Folder, kafka: str, ns: str) -> Folder:
    folder.environment |= {
        "AGENTOPIC_TRANSPORT": f"kafka://{kafka}",
        "AGENTOPIC_JOURNAL": "sqlite:///journal.db",
        "AGENTOPIC_NAMESPACE": ns,
        "AGENTOPIC_PARTITIONS": "2",
    }
    return folder


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_has_less_than_60_lines_that_are_not_blank(example: Path) -> None:
    lines = [line for line in example.read_text().splitlines() if line.strip()]

    assert len(lines) < LINES


def test_the_first_service_answers_and_publishes(folder: Folder) -> None:
    printed = folder.example("first_service")

    assert "OrderChecked(order='6', suspicious=False)" in printed.splitlines()
    (checked,) = folder.events("checked", count=1)
    assert (checked["type"], checked["subject"], checked["data"]) == (
        "shop.OrderChecked.v1", "7", {"order": "7", "suspicious": True},
    )  # fmt: skip


def test_the_pipeline_prices_and_numbers_each_customer_by_itself(folder: Folder) -> None:
    folder.agentopic("topics", "apply", "pipeline:pricing", "pipeline:billing")
    pipeline = folder.start(str(EXAMPLES / "pipeline.py"))
    orders = ("publish", "orders", "--type", "shop.Order.v1")

    folder.agentopic(*orders, "--subject", "ann", "--data", '{"item": "tea", "count": 3}')
    folder.agentopic(*orders, "--subject", "ann", "--data", '{"item": "cake", "count": 1}')
    folder.agentopic(*orders, "--subject", "bob", "--data", '{"item": "cake", "count": 2}')
    invoices = folder.events("invoices", count=3)

    assert [each["data"] for each in invoices if each["subject"] == "ann"] == [
        {"item": "tea", "total": 12, "number": 1},
        {"item": "cake", "total": 7, "number": 2},
    ]
    assert [each["data"] for each in invoices if each["subject"] == "bob"] == [
        {"item": "cake", "total": 14, "number": 1},
    ]
    pipeline.send_signal(signal.SIGTERM)
    assert pipeline.wait(timeout=20) == 0


def test_the_next_process_goes_on_from_the_recorded_events(folder: Folder) -> None:
    printed = folder.example("event_sourced").splitlines()

    assert printed == ["30 after 1 moves", "refused: only 30 left", "20 after 2 moves"]


def test_a_killed_worker_has_charged_once_and_another_one_ships(folder: Folder) -> None:
    printed = folder.example("steps")

    calls = [line for line in printed.splitlines() if line.startswith(("charge", "ship"))]
    assert calls == ["charge 7", "ship 7", "ship 7"]
    assert [each["data"] for each in folder.events("shipped", count=1)] == [{"number": 7}]


def test_a_trip_is_undone_in_full_though_its_process_is_killed(folder: Folder) -> None:
    printed = folder.example("saga").splitlines()

    calls = [line for line in printed if line.startswith(("book", "cancel"))]
    assert calls == ["book flight", "book car", "book hotel", "cancel car", "cancel car", "cancel flight"]
    (answer,) = folder.events("answers", count=1)
    assert answer["data"] == {"text": "saga 'trip' was undone: Reject: no rooms"}


def test_who_has_lost_the_lock_without_knowing_is_refused(folder: Folder) -> None:
    printed = folder.example("lock").splitlines()

    assert [line for line in printed if line.startswith("page")] == ["page 1: printed", "page 1: refused"]


def test_failures_are_tried_again_or_end_in_the_dead_letters(folder: Folder) -> None:
    printed = folder.example("retry_and_reject").splitlines()

    said = {
        item: [line for line in printed if line.startswith(f"{item}: ")] for item in ("tea", "gold", "soup", "cake")
    }
    thrice = [f"attempt {number}" for number in (1, 2, 3)]
    assert said == {
        "tea": [f"tea: {what}" for what in (*thrice, "served")],
        "gold": ["gold: attempt 1"],
        "soup": [f"soup: {what}" for what in thrice],
        "cake": ["cake: attempt 1", "cake: served"],
    }
    dead = folder.agentopic("tail", "--raw", "agentopic.dead.clerk", "--from-beginning")
    assert sorted(json.loads(line)["data"]["item"] for line in dead.splitlines()) == ["gold", "soup"]


def test_an_assistant_calls_tools_and_is_told_of_their_failures(folder: Folder) -> None:
    printed = folder.example("assistant_tools").splitlines()

    results = [line for line in printed if line.startswith("ToolCallExecutionEvent")]
    assert ["is_error=False" in results[0], "is_error=True" in results[1]] == [True, True]
    assert printed[-1] == "TextMessage clerk: Tea for three is 12 EUR; we have no gold."


def test_an_assistant_is_reminded_before_it_is_asked(folder: Folder) -> None:
    told = [line for line in folder.example("memory").splitlines() if line.startswith("told:")]

    assert "Ann drinks no coffee." in told[-1]


def test_a_page_of_this_machine_is_read_only_when_that_is_allowed(folder: Folder) -> None:
    refused, page = folder.example("tools_web_page").splitlines()

    assert refused == "refused: loopback"
    assert page == "Shop | Shop # Open From **nine** to five. [Map](/map)"


def test_an_assistant_answers_with_an_object(folder: Folder) -> None:
    assert folder.example("structured_output") == "happy, 7 of 10\n"


def test_the_environment_chooses_the_provider(folder: Folder) -> None:
    with LLMockServer() as server:
        keys = {f"{name}_API_KEY": "k" for name in ("OPENAI", "ANTHROPIC", "GEMINI")}
        urls = {"OPENAI_BASE_URL": server.base_url("openai"), "ANTHROPIC_BASE_URL": server.base_url("anthropic")}
        said = {name: folder.example("model_choice", MODEL=name, **keys, **urls) for name in ("gpt", "claude")}
    config = {"model": "gpt-4o", "base_url": "http://127.0.0.1:1/v1", "api_key": "k", "max_retries": 0}
    unreachable = {"provider": "autogen_ext.models.openai.OpenAIChatCompletionClient", "config": config}
    (folder.path / "my.json").write_text(json.dumps(unreachable))
    said["my"] = folder.example("model_choice", MODEL="my.json")

    assert folder.example("model_choice").startswith("Paris.\n")
    assert [said[name].splitlines()[-1].split()[1:3] for name in ("gpt", "claude")] == [["tokens", "in,"]] * 2
    assert said["my"].startswith("ModelUnavailableError")


def test_a_cached_model_is_asked_each_question_once(folder: Folder) -> None:
    first, second = folder.example("cached_answers"), folder.example("cached_answers")

    answers = ["Leaves in hot water.", "Beans in hot water.", "Leaves in hot water."]
    assert first.splitlines() == [*answers, "the model was asked 2 times"]
    assert second.splitlines() == [*answers, "the model was asked 0 times"]


def test_every_customer_has_a_conversation_that_another_process_goes_on_with(folder: Folder) -> None:
    printed = folder.example("assistant_service").splitlines()

    assert [(line.split()[0], line[-2]) for line in printed] == [("ann", "2"), ("bob", "2"), ("ann", "4")]


def test_a_tool_is_called_once_somebody_allows_it_in_another_process(folder: Folder) -> None:
    printed = folder.example("approval").splitlines()

    assert printed == [
        "asked: Call the tool refund? (it is money)",
        "refund: 2000 cents for o-17",
        "2000 cents paid back for o-17",
    ]


def test_a_team_goes_on_until_somebody_approves(folder: Folder) -> None:
    printed = folder.example("team").splitlines()

    assert [line for line in printed if line.startswith("----------")] == [
        f"---------- TextMessage ({name}) ----------" for name in ("user", "writer", "critic", "writer", "critic")
    ]
    assert "APPROVE" in printed


def test_a_graph_goes_round_until_its_chief_is_content(folder: Folder) -> None:
    said = [line.split(":")[0] for line in folder.example("graph").splitlines()]

    rounds = [sorted(said[at : at + 4]) for at in (1, 5)]
    assert rounds == [["chief", "spelling", "style", "writer"]] * 2
    assert (said[0], said[4], said[8:]) == ("user", "chief", ["chief", "printer"])


def test_an_assistant_has_another_one_as_a_tool(folder: Folder) -> None:
    printed = folder.example("agent_as_tool").splitlines()

    assert [line for line in printed if "content='Le thé est chaud.'" in line]
    assert printed[-1] == "TextMessage: In French: Le thé est chaud."


def test_a_team_is_served_and_its_run_joined_by_id(folder: Folder) -> None:
    printed = folder.example("team_service").splitlines()

    assert printed[0] == "user: Write a headline."
    assert printed[-2:] == ["critic: APPROVE", "5 messages; Text 'APPROVE' mentioned"]


def test_an_agent_is_loaded_from_json_that_may_not_do_everything(folder: Folder) -> None:
    printed = folder.example("components").splitlines()

    assert printed[1:] == [
        "At your service.",
        "refused at config.workbench[0].config.tools[0].config",
        "loaded with its tool",
        "refused at config.model_client.provider",
    ]


def test_an_intervention_handler_changes_and_drops_what_is_sent(folder: Folder) -> None:
    printed = folder.example("intervention").splitlines()

    assert printed[-2:] == ["we have read: my card is **** (seen by the censor)", "dropped"]


@pytest.mark.parametrize("runtime_type", ["local", "distributed"])
def test_autogen_style_code_runs_on_either_runtime_by_configuration_alone(folder: Folder, runtime_type: str) -> None:
    printed = folder.example("autogen_style", AUTOGEN_RUNTIME_TYPE=runtime_type)

    numbers = [line for line in printed.splitlines() if line.isdecimal()]
    assert numbers == ["6", "3", "10", "5", "16", "8", "4", "2", "1"]
    assert (folder.path / ".agentopic").exists() == (runtime_type == "distributed")


def test_outside_programs_publish_to_a_service_and_subscribe_to_it(on_kafka: Folder, kafka: str, ns: str) -> None:
    on_kafka.agentopic("topics", "apply", "first_service:app")
    on_kafka.start("-m", "agentopic", "run", "first_service:app")
    order = json.dumps({"order": "7", "amount": 20_000})

    on_kafka.example("outside_publisher", kafka, f"{ns}.topic.orders", "ann", order)
    subscriber = on_kafka.start(str(EXAMPLES / "outside_subscriber.py"), kafka, f"{ns}.topic.checked", f"{ns}-audit")

    checked = json.loads(next(_lines(subscriber)))
    assert checked["data"] == {"order": "7", "suspicious": True}
    assert (checked["type"], checked["source"]) == ("shop.OrderChecked.v1", f"/{ns}/agents/checker/ann")


@pytest.mark.parametrize("program", ["outside_publisher", "outside_subscriber"])
def test_outside_programs_import_nothing_of_agentopic(program: str) -> None:
    assert "import agentopic" not in (text := (EXAMPLES / f"{program}.py").read_text())
    assert "from agentopic" not in text
