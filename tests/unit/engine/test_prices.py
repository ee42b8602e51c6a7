"""What a call costs on a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from agentopic.core._call_usage import CallUsage
from agentopic.engine.prices import price_table
from agentopic.errors import ConfigError

TODAY = date(2026, 11, 22)
MILLION = CallUsage(input_tokens=1_000_000, output_tokens=1_000_000)


def test_a_price_is_that_of_the_day_of_the_call():
    prices = price_table()

    assert prices.micros("gpt-4o", date(2024, 6, 1), MILLION) == 20_000_000
    assert prices.micros("gpt-4o", date(2024, 12, 1), MILLION) == 12_500_000


def test_a_call_before_the_first_known_price_is_unpriced():
    assert price_table().micros("gpt-4o", date(2020, 1, 1), MILLION) is None


@pytest.mark.parametrize("name", ["gpt-4o-mini-2024-07-18", "claude-3-5-haiku-20241022", "claude-3-5-haiku-latest"])
def test_a_dated_name_has_the_price_of_the_name_without_its_date(name: str):
    assert price_table().micros(name, TODAY, MILLION) is not None


@pytest.mark.parametrize("name", ["gpt-4o-audio-preview", "gpt-4", "o3"])
def test_a_price_is_never_guessed_by_likeness(name: str):
    prices = price_table()

    found = prices.price(name, TODAY)

    assert found is None or found.model == name


def test_a_dated_name_with_a_price_of_its_own_keeps_it():
    assert price_table().micros("gpt-4o-2024-05-13", TODAY, MILLION) == 20_000_000


def test_input_from_the_providers_cache_has_its_own_price():
    usage = CallUsage(input_tokens=1_000_000, output_tokens=0, cached_tokens=600_000)

    assert price_table().micros("gpt-4o", TODAY, usage) == 400_000 * 2.5 + 600_000 * 1.25


def test_a_fraction_of_a_millionth_is_rounded_up():
    assert price_table().micros("gpt-4o-mini", TODAY, CallUsage(input_tokens=1, output_tokens=0)) == 1


def test_a_call_whose_tokens_nobody_counted_is_unpriced_not_free():
    assert price_table().micros("gpt-4o", TODAY, CallUsage(input_tokens=0, output_tokens=0)) is None


def test_an_own_file_replaces_the_prices_of_its_models_and_leaves_the_others(tmp_path: Path):
    own = tmp_path / "prices.toml"
    own.write_text('[[price]]\nmodel = "gpt-4o"\nfrom = 2026-01-01\ninput = 1\noutput = 1\n')
    prices = price_table(str(own))

    assert prices.micros("gpt-4o", TODAY, MILLION) == 2_000_000
    assert prices.micros("gpt-4o", date(2025, 1, 1), MILLION) is None
    assert prices.micros("gpt-4o-mini", TODAY, MILLION) == 750_000


@pytest.mark.parametrize(
    "text", ["no toml", "[[price]]\nmodel = 'x'", "[[price]]\nmodel='x'\nfrom=2026-01-01\ninput=-1\noutput=1"]
)
def test_a_file_that_is_no_price_file_stops_the_start(tmp_path: Path, text: str):
    own = tmp_path / "prices.toml"
    own.write_text(text)

    with pytest.raises(ConfigError, match=r"prices\.toml"):
        price_table(str(own))


def test_a_missing_price_file_stops_the_start(tmp_path: Path):
    with pytest.raises(ConfigError):
        price_table(str(tmp_path / "none.toml"))
