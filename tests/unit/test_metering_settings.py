"""Settings about money, rates and previews, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentopic import wiring
from agentopic.adapters.rate_limit.local import LocalRateLimits
from agentopic.adapters.rate_limit.redis import RedisRateLimits
from agentopic.core import BaseAgent
from agentopic.engine.budget import AgentBudgets, Budget
from agentopic.engine.runtime import EngineRuntime
from agentopic.engine.service import AgentService
from agentopic.errors import ConfigError
from agentopic.ports.rate_limits import RateLimit
from agentopic.settings import Settings, fields


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    import os

    for name in list(os.environ):
        if name.startswith(("AGENTOPIC_", "AUTOGEN_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_settings_nothing_is_limited():
    options = wiring.engine_options(Settings())

    assert not options.budgets.are_set
    assert options.rate_limits == {}


def test_budgets_rates_and_circuits_reach_the_engine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_BUDGET_RUN_USD", "2.50")
    monkeypatch.setenv("AGENTOPIC_BUDGET_DAY_CALLS", "1000")
    monkeypatch.setenv("AGENTOPIC_RATE_LIMITS", '{"gpt-4o": {"requests": 500, "tokens": 30000}, "*": {"requests": 60}}')
    monkeypatch.setenv("AGENTOPIC_CIRCUIT_FAILURES", "9")
    monkeypatch.setenv("AGENTOPIC_PREVIEWS", "never")

    options = wiring.engine_options(Settings())

    assert options.budgets == AgentBudgets(run=Budget(usd=2.5), day=Budget(calls=1000))
    assert options.rate_limits == {"gpt-4o": RateLimit(requests=500, tokens=30_000), "*": RateLimit(requests=60)}
    assert (options.circuit.failures, options.previews) == (9, "never")


def test_a_file_may_write_rate_limits_as_a_table(folder: Path):
    (folder / "agentopic.toml").write_text('[rate_limits."api.example.com/v1/m"]\nrequests = 5\n')

    assert wiring.engine_options(Settings()).rate_limits == {"api.example.com/v1/m": RateLimit(requests=5)}


@pytest.mark.parametrize("text", ["no json", '{"m": {"request": 5}}', '{"m": {"requests": 0}}', "[1]"])
def test_rate_limits_that_mean_nothing_stop_the_start(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("AGENTOPIC_RATE_LIMITS", text)

    with pytest.raises(ConfigError, match="AGENTOPIC_RATE_LIMITS"):
        Settings()


def test_every_setting_is_shown_whatever_its_form(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGENTOPIC_RATE_LIMITS", '{"*": {"requests": 60}}')

    shown = {each.setting: each.value for each in Settings().origins()}

    assert shown["rate_limits"] == '{"*": {"requests": 60}}'
    assert set(shown) == set(fields()) == set(Settings.model_fields)


def test_calls_are_counted_in_the_process_or_in_redis():
    here = wiring.rate_limits_of(Settings())
    together = wiring.rate_limits_of(Settings(rate_limit_store="redis://127.0.0.1:1/0"))

    assert isinstance(here, LocalRateLimits)
    assert isinstance(together, RedisRateLimits)


def test_an_unknown_store_is_refused_without_its_password():
    with pytest.raises(ConfigError, match="redis://") as refused:
        wiring.rate_limits_of(Settings(rate_limit_store="memcached://user:hunter2@host"))

    assert "hunter2" not in str(refused.value)


class Clerk(BaseAgent):
    def __init__(self) -> None:
        super().__init__("has a budget")

    async def on_message_impl(self, message: object, ctx: object) -> None: ...


@pytest.mark.parametrize(
    ("given", "budgets"),
    [
        ({}, AgentBudgets(day=Budget(usd=1.0))),
        ({"run_budget": Budget(calls=3)}, AgentBudgets(run=Budget(calls=3))),
        ({"day_budget": Budget(tokens=9)}, AgentBudgets(day=Budget(tokens=9))),
    ],
)
async def test_a_services_own_budgets_win_over_the_settings(given: dict[str, Any], budgets: AgentBudgets):
    runtime = EngineRuntime(
        wiring.mesh(Settings(transport="memory://")),
        wiring.engine_options(Settings(transport="memory://", budget_day_usd=1.0)),
    )
    await AgentService("clerk", Clerk, stateless=True, **given).register(runtime)

    assert runtime._group("clerk").budgets == budgets
