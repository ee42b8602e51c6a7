from __future__ import annotations

from pathlib import Path

import pytest

import agentopic
from agentopic import AgentRuntime, DurableRuntime, Settings
from agentopic.core import SingleThreadedAgentRuntime
from agentopic.engine.runtime import EngineRuntime
from agentopic.errors import ConfigError


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("AGENTOPIC_RUNTIME_TYPE", raising=False)


def test_urls_and_options_win_over_settings():
    given = Settings(transport="sqlite:///other.db", namespace="other", partitions=5)

    runtime = DurableRuntime("memory://", "memory://", namespace="shop", settings=given, lease_seconds=1.0)

    assert type(runtime.mesh.transport).__name__ == "MemoryTransport"
    assert runtime.options.namespace == "shop"
    assert runtime.options.partitions == 5
    assert runtime.options.lease_seconds == 1.0


def test_without_urls_the_environment_decides(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_TRANSPORT", "memory://")
    monkeypatch.setenv("AGENTOPIC_JOURNAL", "memory://")

    runtime = DurableRuntime()

    assert type(runtime.mesh.journal).__name__ == "MemoryJournal"


def test_kafka_without_a_journal_is_refused():
    with pytest.raises(ConfigError, match="AGENTOPIC_JOURNAL"):
        DurableRuntime("kafka://localhost:9092", settings=Settings(transport="memory://"))


def test_agent_runtime_is_chosen_by_configuration(monkeypatch: pytest.MonkeyPatch):
    assert isinstance(AgentRuntime("local"), SingleThreadedAgentRuntime)
    assert isinstance(AgentRuntime(runtime_type="distributed"), EngineRuntime)

    monkeypatch.setenv("AUTOGEN_RUNTIME_TYPE", "local")
    assert isinstance(AgentRuntime(), SingleThreadedAgentRuntime)


def test_an_unknown_root_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = agentopic.Nonsense  # pyright: ignore[reportAttributeAccessIssue]


def test_the_root_lists_its_names():
    assert set(agentopic.__all__) <= set(dir(agentopic))
