"""Prices: what a model call costs on a day, from a dated table."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentopic.core._call_usage import CallUsage
from agentopic.errors import ConfigError

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """The price of one model from a day on, in US dollars per million tokens: millionths of a dollar per token."""

    model: str
    since: date
    input: Decimal
    output: Decimal
    cached: Decimal
    """Input that the provider read from its own prompt cache."""


class PriceTable:
    """Prices by model and day. Where two are of the same model and day, the later one in the list counts."""

    def __init__(self, prices: Iterable[ModelPrice]) -> None:
        self._prices = defaultdict[str, list[ModelPrice]](list)
        for price in prices:
            self._prices[price.model].append(price)
        for known in self._prices.values():
            known.sort(key=lambda each: each.since)

    def price(self, model: str, day: date) -> ModelPrice | None:
        """Return what the model costs on that day; None when that is not known.

        A name is looked up as it is, then without the date at its end: never by likeness.
        """
        for name in (model, _DATED.sub("", model)):
            valid = [each for each in self._prices.get(name, ()) if each.since <= day]
            if valid:
                return valid[-1]
        return None

    def micros(self, model: str, day: date, usage: CallUsage) -> int | None:
        """Return the cost of a call in millionths of a US dollar, rounded up; None when it cannot be known.

        A provider that does not say how many tokens it took leaves the cost unknown: it is never zero silently.
        """
        price = self.price(model, day)
        if price is None or usage.input_tokens + usage.output_tokens <= 0:
            return None
        cost = (
            (usage.input_tokens - usage.cached_tokens) * price.input
            + usage.cached_tokens * price.cached
            + usage.output_tokens * price.output
        )
        return int(cost.to_integral_value(rounding=ROUND_CEILING))


class _Entry(BaseModel):
    """A price as a file says it."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1)
    since: date = Field(alias="from")
    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cached: Decimal | None = Field(default=None, ge=0)


class _File(BaseModel):
    """A price file."""

    model_config = ConfigDict(extra="forbid")

    as_of: date | None = None
    price: list[_Entry]


def price_table(own: str | None = None) -> PriceTable:
    """Return the shipped prices; those of a file of one's own replace all prices of the models it names.

    Raises:
        ConfigError: the file cannot be read or is no price file.
    """
    shipped = _shipped()
    if own is None:
        return PriceTable(shipped)
    try:
        given = _read(Path(own).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as exc:
        raise ConfigError(f"the price file {own!r} cannot be used: {' '.join(str(exc).split())}") from exc
    named = {each.model for each in given}
    return PriceTable([*(each for each in shipped if each.model not in named), *given])


@cache
def _shipped() -> Sequence[ModelPrice]:
    return _read(files("agentopic.engine").joinpath("prices.toml").read_text(encoding="utf-8"))


def _read(text: str) -> Sequence[ModelPrice]:
    found = _File.model_validate(tomllib.loads(text, parse_float=Decimal))
    return [
        ModelPrice(
            model=each.model,
            since=each.since,
            input=each.input,
            output=each.output,
            cached=each.input if each.cached is None else each.cached,
        )
        for each in found.price
    ]
