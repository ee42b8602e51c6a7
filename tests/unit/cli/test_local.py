from __future__ import annotations

import json

import pytest

from agentopic.cli.exits import Exit

from .conftest import Cli

ORDER = '{"topic": "order", "subject": "s1", "type": "shop.Order.v1", "data": {"item": "tea"}}\n'


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGEN_RUNTIME_TYPE", "local")


def test_dev_in_one_process_takes_lines_and_prints_what_agents_publish(cli: Cli, shop: str):
    ended = cli("dev", shop, stdin=ORDER)

    assert ended.code == Exit.DONE
    assert json.loads(ended.out) == {
        "topic": "invoice",
        "subject": "s1",
        "type": "shop.Invoice.v1",
        "from": "clerk/s1",
        "data": {"item": "tea", "total": 3},
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", "a line needs JSON"),
        ('{"type": "shop.Order.v1"}', "a line needs JSON"),
        ('{"topic": "order", "type": "shop.Nope", "data": 1}', "no agent here knows the payload type 'shop.Nope'"),
        ('{"topic": "order", "type": "shop.Order.v1", "data": {}}', "item"),
    ],
)
def test_a_wrong_line_is_reported_and_the_next_one_served(cli: Cli, shop: str, line: str, says: str):
    ended = cli("dev", shop, stdin=line + "\n" + ORDER)

    assert says in ended.err
    assert json.loads(ended.out)["topic"] == "invoice"


def test_run_refuses_a_runtime_that_hears_nobody(cli: Cli, shop: str):
    ended = cli("run", shop)

    assert ended.code == Exit.USAGE
    assert "use `agentopic dev`" in ended.err
