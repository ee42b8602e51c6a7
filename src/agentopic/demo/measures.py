"""What can be computed from the data: every measure with its words, its unit and its definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Measure = Literal[
    "mean_temp_max",
    "mean_temp_min",
    "highest_temp",
    "lowest_temp",
    "total_precipitation",
    "wettest_day",
    "rainy_days",
    "longest_dry_spell",
    "frost_days",
    "warm_days",
    "foggy_days",
    "sunny_days",
    "mean_wind",
    "strongest_wind",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """How people call a measure, its unit, and how it is computed."""

    words: str
    unit: str
    definition: str


MEANINGS: Final[dict[Measure, Meaning]] = {
    "mean_temp_max": Meaning(words="mean maximum temperature", unit="°C", definition="mean of temp_max"),
    "mean_temp_min": Meaning(words="mean minimum temperature", unit="°C", definition="mean of temp_min"),
    "highest_temp": Meaning(words="highest temperature", unit="°C", definition="largest temp_max"),
    "lowest_temp": Meaning(words="lowest temperature", unit="°C", definition="smallest temp_min"),
    "total_precipitation": Meaning(words="total precipitation", unit="mm", definition="sum of precipitation"),
    "wettest_day": Meaning(words="precipitation of the wettest day", unit="mm", definition="largest precipitation"),
    "rainy_days": Meaning(words="rainy days", unit="days", definition="number of days with precipitation above 0"),
    "longest_dry_spell": Meaning(
        words="longest dry spell", unit="days", definition="largest number of days in a row with precipitation 0"
    ),
    "frost_days": Meaning(words="days of frost", unit="days", definition="number of days with temp_min below 0"),
    "warm_days": Meaning(words="warm days", unit="days", definition="number of days with temp_max of 25 or more"),
    "foggy_days": Meaning(words="foggy days", unit="days", definition="number of days whose weather is fog"),
    "sunny_days": Meaning(words="sunny days", unit="days", definition="number of days whose weather is sun"),
    "mean_wind": Meaning(words="mean wind", unit="m/s", definition="mean of wind"),
    "strongest_wind": Meaning(words="strongest wind", unit="m/s", definition="largest wind"),
}
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)


def shown(value: float) -> str:
    """Return a value as reports write it: at most two decimals, none that say nothing."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
