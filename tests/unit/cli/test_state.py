"""`agentopic state`: everything unfinished moves from one mesh to another."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agentopic import DurableRuntime
from agentopic.cli.exits import Exit
from agentopic.cli.target import load_services

from .conftest import Cli

HERE, THERE = "sqlite:///here.db", "sqlite:///there.db"


def publish(cli: Cli, shop: str, count: int) -> None:
    cli("topics", "apply", shop, "--transport", HERE)
    for number in range(count):
        done = cli(
            "publish",
            "order",
            "--data",
            json.dumps({"item": "x" * number}),
            "--type",
            "shop.Order.v1",
            "--transport",
            HERE,
        )
        assert done.code == 0, done.err


def invoices(folder: Path) -> list[str]:
    """Run the service on the other mesh until it is idle and return the items it has written invoices for."""

    async def run() -> None:
        runtime = DurableRuntime(THERE)
        (service,) = load_services(["shop:app"])
        await service.register(runtime)
        await runtime.start()
        await runtime.stop_when_idle()

    asyncio.run(run())
    return [str(folder)]


def test_unread_events_move_and_are_handled_once(cli: Cli, shop: str, folder: Path):
    publish(cli, shop, 3)

    exported = cli("state", "export", "all.jsonl", shop, "--transport", HERE)
    imported = cli("state", "import", "all.jsonl", "--journal", THERE)
    again = cli("state", "import", "all.jsonl", "--journal", THERE)
    invoices(folder)
    tailed = cli("tail", "invoice", "--from-beginning", "--transport", THERE, "--output", "jsonl")

    assert (exported.code, imported.code, again.code) == (0, 0, 0), exported.err + imported.err + again.err
    assert "3 delivery" in exported.err
    assert "0 rows" in again.err
    items = [json.loads(line)["data"]["item"] for line in tailed.out.splitlines()]
    assert sorted(items) == ["", "x", "xx"]


def test_the_file_is_readable_by_its_owner_alone(cli: Cli, shop: str, folder: Path):
    publish(cli, shop, 1)

    cli("state", "export", "all.jsonl", shop, "--transport", HERE)

    assert (folder / "all.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_standard_streams_serve_as_files(cli: Cli, shop: str):
    publish(cli, shop, 2)

    exported = cli("state", "export", "-", shop, "--transport", HERE)
    imported = cli("state", "import", "-", "--journal", THERE, stdin=exported.out)

    assert json.loads(exported.out.splitlines()[0])["kind"] == "agentopic.state"
    assert imported.code == 0, imported.err
    assert "imported" in imported.err


def test_while_a_service_runs_nothing_is_exported(cli: Cli, shop: str, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_LEASE_SECONDS", "1")

    async def run() -> None:
        runtime = DurableRuntime(HERE)
        (service,) = load_services([shop])
        await service.register(runtime)
        async with runtime:
            ended = await asyncio.to_thread(cli, "state", "export", "all.jsonl", shop, "--transport", HERE)
        assert ended.code == Exit.CONFLICT, ended.err
        assert "is alive" in ended.err

    asyncio.run(run())
    assert not (folder / "all.jsonl").exists()


@pytest.mark.parametrize(("name", "content"), [("missing.jsonl", None), ("other.jsonl", "{}\n")])
def test_a_file_that_cannot_be_used_is_one_line(cli: Cli, folder: Path, name: str, content: str | None):
    if content is not None:
        (folder / name).write_text(content)

    ended = cli("state", "import", name, "--journal", THERE)

    assert (ended.code, len(ended.err.splitlines())) == (Exit.FAILED, 1)
