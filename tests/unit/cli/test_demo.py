from __future__ import annotations

import pytest

import agentopic.demo.main as driver
from agentopic.cli.exits import Exit
from agentopic.demo.main import DEFAULT_TASKS, DemoOptions

from .conftest import Cli


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[DemoOptions]:
    """What the driver is asked to do, by a driver that does nothing and is not content."""
    options: list[DemoOptions] = []

    def main(given: DemoOptions) -> int:
        options.append(given)
        return 1

    monkeypatch.setattr(driver, "main", main)
    return options


def test_without_flags_the_defaults_run(cli: Cli, asked: list[DemoOptions]):
    cli("demo")

    assert asked == [DemoOptions(runtime_type="distributed", tasks=DEFAULT_TASKS)]


def test_flags_reach_the_driver(cli: Cli, asked: list[DemoOptions]):
    cli("demo", "--transport", "kafka", "--tasks", "5", "--keep", "--output", "json", "--no-progress")

    assert asked == [
        DemoOptions(transport="kafka", tasks=5, runtime_type="distributed", keep=True, output="json", progress=False)
    ]


def test_the_environment_chooses_the_runtime(cli: Cli, asked: list[DemoOptions], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUTOGEN_RUNTIME_TYPE", "local")

    cli("demo")

    assert asked[0].runtime_type == "local"


def test_a_wrong_figure_is_a_failure(cli: Cli, asked: list[DemoOptions]):
    assert cli("demo").code == Exit.FAILED
    assert len(asked) == 1


def test_more_tasks_than_questions_is_a_usage_error(cli: Cli):
    assert cli("demo", "--tasks", "9999").code == Exit.USAGE
