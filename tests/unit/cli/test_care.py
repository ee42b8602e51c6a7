from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentopic import __version__
from agentopic.cli.exits import Exit

from .conftest import Cli


def test_version_names_what_is_installed(cli: Cli):
    found = json.loads(cli("version", "--output", "json").out)

    assert found["agentopic"] == __version__
    assert set(found) >= {"python", "aiokafka", "asyncpg", "openai"}


def test_config_show_tells_values_and_origins_without_secrets(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("AUTOGEN_GRPC_PORT", "6000")

    ended = cli("config", "show", "--origin", "--output", "json", "--namespace", "shop")

    rows = {row["variable"]: row for row in json.loads(ended.out)}
    assert rows["AGENTOPIC_GRPC_PORT"]["value"] == 6000
    assert rows["AGENTOPIC_GRPC_PORT"]["source"] == "environment AUTOGEN_GRPC_PORT"
    assert rows["AGENTOPIC_NAMESPACE"]["source"] == "argument"
    assert rows["OPENAI_API_KEY"]["value"] == "********"
    assert "very-secret" not in ended.out + ended.err


def test_config_show_without_origin_has_no_sources(cli: Cli):
    header = cli("config", "show").out.splitlines()[0].split()

    assert header == ["variable", "value"]


def doctor(cli: Cli, *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    ended = cli("doctor", *arguments, "--output", "json")
    return ended.code, {row["check"]: row for row in json.loads(ended.out)}


def test_doctor_is_content_with_the_embedded_default_and_creates_nothing(cli: Cli, folder: Path):
    code, checks = doctor(cli)

    assert code == Exit.DONE
    assert checks["transport"]["status"] == checks["journal"]["status"] == "ok"
    assert not (folder / ".agentopic").exists()


def test_doctor_fails_on_an_unreachable_journal_with_a_fix(cli: Cli):
    code, checks = doctor(cli, "--transport", "memory://", "--journal", "amqp://x")

    assert code == Exit.CHECK_FAILED
    assert checks["journal"]["status"] == "fail"
    assert checks["journal"]["fix"]
    assert checks["transport"]["status"] == "ok"


def test_doctor_checks_the_topics_of_services(cli: Cli, shop: str, monkeypatch: pytest.MonkeyPatch):
    _, before = doctor(cli, shop)
    cli("topics", "apply", shop)
    code, after = doctor(cli, shop)
    monkeypatch.setenv("AGENTOPIC_PARTITIONS", "2")
    conflict, other = doctor(cli, shop)

    assert before["topic agentopic.topic.order"]["status"] == "warn"
    assert after["topic agentopic.topic.order"]["status"] == "ok"
    assert code == Exit.DONE
    assert conflict == Exit.CHECK_FAILED
    assert "AGENTOPIC_PARTITIONS" in other["topic agentopic.topic.order"]["fix"]


def test_doctor_fails_on_missing_topics_that_nobody_may_create(cli: Cli, shop: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_TOPICS", "verify")

    code, checks = doctor(cli, shop)

    assert code == Exit.CHECK_FAILED
    assert checks["topic agentopic.topic.order"]["fix"] == "agentopic topics apply shop:app"


def test_doctor_points_at_misspelt_variables(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_TRANSPROT", "memory://")

    _, checks = doctor(cli)

    assert "AGENTOPIC_TRANSPROT" in checks["settings"]["detail"]
    assert checks["settings"]["status"] == "warn"
