"""The data set of the demo: where the file is, and what a model is told about it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FILE_NAME: Final = "seattle-weather.csv"
FIRST_YEAR: Final = 2012
LAST_YEAR: Final = 2015

DESCRIPTION: Final = (
    f"{FILE_NAME} has one line per day from {FIRST_YEAR}-01-01 to {LAST_YEAR}-12-31, with the columns "
    "date (2012/01/31), precipitation (mm), temp_max and temp_min (°C), wind (m/s) and "
    "weather (drizzle, fog, rain, snow or sun)."
)


def data_file() -> Path:
    """Return the path of the CSV file, as it came from its source (see the README beside it)."""
    return Path(__file__).parent / "data" / FILE_NAME
