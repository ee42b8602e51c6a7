"""A process that cannot work as configured stops at start: one line that says what to change, exit code 2 or 3."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = """
from agentopic import AgentService, MessageContext, RoutedAgent, TypeSubscription, message_handler, payload
from pydantic import BaseModel


@payload("shop.Order.v1")
class Order(BaseModel):
    item: str


class Clerk(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("takes orders")

    @message_handler
    async def order(self, message: Order, ctx: MessageContext) -> None:
        return None


app = AgentService("clerk", Clerk, subscriptions=[TypeSubscription("order", "clerk")], stateless=True)
"""


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "shop.py").write_text(SERVICE)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPIC_", "AUTOGEN_"))}
    environment = kept | {"XDG_CONFIG_HOME": str(folder)} | variables
    return subprocess.run(
        [sys.executable, "-m", "agentopic", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


def assert_one_line(ended: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith("agentopic: ")
    for part in parts:
        assert part in ended.stderr


@pytest.mark.parametrize(
    ("variables", "parts"),
    [
        ({"AGENTOPIC_TRANSPORT": "amqp://host"}, ("AGENTOPIC_TRANSPORT", "amqp://host", "kafka://")),
        ({"AGENTOPIC_JOURNAL": "mysql://me:hush@host/x"}, ("AGENTOPIC_JOURNAL", "mysql://me:********@host/x", "postgresql://")),
        ({"AGENTOPIC_TRANSPORT": "kafka://localhost:9092"}, ("AGENTOPIC_JOURNAL is not set", "postgresql://")),
        ({"AGENTOPIC_TRANSPORT": "kafka://localhost"}, ("names no broker", "kafka://host:port")),
        ({"AGENTOPIC_PARTITIONS": "many"}, ("AGENTOPIC_PARTITIONS='many'", "integer")),
        ({"AUTOGEN_RUNTIME_TYPE": "cloud"}, ("AUTOGEN_RUNTIME_TYPE", "'local' or 'distributed'")),
        ({"AUTOGEN_RUNTIME_TYPE": "local"}, ("use `agentopic dev`",)),
        ({"AGENTOPIC_TOPICS": "verify"}, ("agentopic.topic.order", "does not exist", "agentopic topics apply")),
    ],
    ids=["transport", "journal", "no journal", "no port", "value", "autogen value", "local", "missing topic"],
)  # fmt: skip
def test_a_wrong_setting_stops_the_service_with_code_2(
    tmp_path: Path, variables: dict[str, str], parts: tuple[str, ...]
):
    assert_one_line(run(tmp_path, "run", "shop:app", **variables), 2, *parts)


@pytest.mark.parametrize("target", ["shop", "shopp:app", "shop:ap", "shop:Clerk"])
def test_a_wrong_target_stops_the_service_with_code_2(tmp_path: Path, target: str):
    assert_one_line(run(tmp_path, "run", target), 2)


@pytest.mark.parametrize(
    ("url", "variable", "package", "extra"),
    [
        ("kafka://localhost:9092", "AGENTOPIC_TRANSPORT", "aiokafka", "kafka"),
        ("postgresql://localhost/x", "AGENTOPIC_JOURNAL", "asyncpg", "postgres"),
    ],
)
def test_a_missing_extra_stops_the_service_with_its_install_line(
    tmp_path: Path, url: str, variable: str, package: str, extra: str
):
    absent = tmp_path / "absent" / package
    absent.mkdir(parents=True)
    (absent / "__init__.py").write_text(f"raise ModuleNotFoundError(name={package!r})")

    variables = {"AGENTOPIC_JOURNAL": "sqlite:///j.db", variable: url, "PYTHONPATH": str(absent.parent)}
    ended = run(tmp_path, "run", "shop:app", **variables)

    assert_one_line(ended, 2, f"pip install 'agentopic[{extra}]'")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"AGENTOPIC_TRANSPORT": "kafka://127.0.0.1:1", "AGENTOPIC_JOURNAL": "sqlite:///j.db"}, "127.0.0.1:1"),
        ({"AGENTOPIC_JOURNAL": "postgresql://me:hush@127.0.0.1:1/x"}, "127.0.0.1:1/x"),
    ],
    ids=["broker", "database"],
)
def test_what_does_not_answer_stops_the_service_with_code_3(tmp_path: Path, variables: dict[str, str], place: str):
    ended = run(tmp_path, "run", "shop:app", **variables)

    assert_one_line(ended, 3, place, "correct AGENTOPIC_TRANSPORT or AGENTOPIC_JOURNAL")
    assert "hush" not in ended.stderr


def test_a_file_that_cannot_be_a_database_stops_the_service(tmp_path: Path):
    (tmp_path / "taken").write_text("a file where a folder must be")

    ended = run(tmp_path, "run", "shop:app", AGENTOPIC_TRANSPORT="sqlite:///taken/mesh.db")

    assert_one_line(ended, 3, "taken")
