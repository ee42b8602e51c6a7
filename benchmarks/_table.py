"""The results as one table for people: every figure that something is wanted of, with what is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_WANTED = "wanted"


class Row(NamedTuple):
    """One figure."""

    name: str
    figure: object
    wanted: str


def rows(name: str, result: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the figures of a result, those of the cases in it included.

    `wanted_x` beside `x`, or `wanted` with the names of `ratio`, says what is asked of a figure.
    """
    ratios, asked = result.get("ratio"), result.get(_WANTED)
    if isinstance(ratios, Mapping):
        wanted = asked if isinstance(asked, Mapping) else {}
        for peer, figure in ratios.items():
            yield Row(f"{name}: times {peer}", figure, f"≥ {wanted[peer]}" if peer in wanted else "")
    for key, value in result.items():
        if key.startswith(f"{_WANTED}_"):
            yield _judged(name, key.removeprefix(f"{_WANTED}_"), value, result)
        elif isinstance(value, Mapping) and key not in {"ratio", _WANTED}:
            yield from _inner(f"{name}: {key}", value)


def _judged(name: str, key: str, wanted: object, result: Mapping[str, Any]) -> Row:
    below = key.removeprefix("below_")
    figure = result.get(below, result.get(f"slowest_{below}"))
    return Row(f"{name}: {below}", figure, f"{'<' if key != below else '≤'} {wanted}")


def _inner(name: str, value: Mapping[str, Any]) -> Iterator[Row]:
    if "per_second" in value:
        yield Row(f"{name}, per second", value["per_second"], "")
    if "cpu_us" in value:
        yield Row(f"{name}, µs of CPU each", value["cpu_us"], "")
    yield from rows(name, value)


def table(results: Mapping[str, Any]) -> str:
    """Return the table as text, one figure a line."""
    found = [row for name, result in results.items() if isinstance(result, Mapping) for row in rows(name, result)]
    width = max((len(row.name) for row in found), default=0)
    return "\n".join(f"{row.name:<{width}}  {row.figure!s:>10}  {row.wanted}" for row in found)
