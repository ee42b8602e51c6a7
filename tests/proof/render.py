"""Write the figures of the last run into docs/guarantees.md: `python -m tests.proof.render`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentopic.testing.environment import read_environment
from agentopic.testing.fault_points import POINTS

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "guarantees.md"
BEGIN, END = "<!-- figures: written by `make chaos` -->", "<!-- figures: end -->"
Entry = Mapping[str, Any]


def main() -> None:
    """Replace what stands between the marks by the tables of the report."""
    proof = ROOT / read_environment().figures
    others = (proof.with_name("soak.jsonl"), proof.with_name("fuzz.jsonl"))
    found = [proof, *(each for each in others if each.exists())]
    entries = [json.loads(line) for path in found for line in path.read_text().splitlines()]
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + BEGIN + "\n\n" + "\n\n".join(_sections(entries)) + "\n\n" + END + after)


def _sections(entries: Sequence[Entry]) -> Iterable[str]:
    suite = [entry for entry in entries if entry["table"] not in {"soak", "fuzz"}]
    last = max(entry["at"] for entry in suite)
    scale = "full counts" if all(entry["full"] for entry in suite) else "the small counts of every commit"
    yield (
        f"Run of {last[:10]} on {os.cpu_count()} cores ({platform.system()} {platform.machine()}, Python"
        f" {platform.python_version()}), {scale}; servers, workers and checker on the same cores."
    )
    tables = {
        "runs": _runs,
        "points": _points,
        "simulation": _simulation,
        "soak": _soak,
        "fuzz": _fuzz,
        "mutants": _mutants,
    }
    for name, table in tables.items():
        chosen = list({entry["name"]: entry for entry in entries if entry["table"] == name}.values())
        if chosen:
            yield table(chosen)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(each) for each in line) + " |" for line in lines)


def _runs(entries: Sequence[Entry]) -> str:
    head = (
        *("Fault suite", "operations", "faults", "hit work", "lost", "effects twice", "out of order"),
        *("paid again", "above the floor", "dead", "sent twice, same id", "besides"),
    )
    return _table(head, (_run(entry) for entry in entries))


def _run(entry: Entry) -> Sequence[object]:
    besides = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in entry["figures"].items())
    counted = (len(entry[name]) for name in ("lost", "duplicated", "disordered"))
    paid = (entry["repaid"], len(entry["overpaid"]), entry["dead"], entry["repeated"])
    return (entry["name"], entry["operations"], entry["faults"], entry["hits"], *counted, *paid, besides)


def _points(entries: Sequence[Entry]) -> str:
    head = ("Death at", "runs", "deaths", "lost", "effects twice", "paid again")
    names = ("name", "runs", "struck", "lost", "duplicated", "repaid")
    in_order = sorted(entries, key=lambda entry: POINTS.index(entry["name"]))
    return _table(head, ([entry[name] for name in names] for entry in in_order))


def _simulation(entries: Sequence[Entry]) -> str:
    head = (
        "Simulation",
        "seeds",
        "operations",
        "faults",
        "hit work",
        "paid again",
        "seeds that broke the promise",
        "s",
    )
    names = ("name", "seeds", "operations", "faults", "hits", "repaid", "failed", "seconds")
    return _table(head, ([entry[name] for name in names] for entry in entries))


def _soak(entries: Sequence[Entry]) -> str:
    head = (
        *("Soak", "operations", "faults", "hit work", "lost", "effects twice", "paid again", "above the floor"),
        *("MB in the middle third", "MB in the last third", "backlog in the middle third", "in the last third"),
    )
    return _table(head, (_soaked(entry) for entry in entries))


def _soaked(entry: Entry) -> Sequence[object]:
    counted = (entry["operations"], entry["faults"], entry["hits"], len(entry["lost"]), len(entry["duplicated"]))
    paid = (entry["repaid"], len(entry["overpaid"]))
    watched = (entry[name] for name in ("mb_middle", "mb_end", "backlog_middle", "backlog_end"))
    return (entry["name"], *counted, *paid, *watched)


def _fuzz(entries: Sequence[Entry]) -> str:
    head = ("Fuzzed door", "inputs", "taken", "broke it", "s")
    return _table(
        head, ([entry[name] for name in ("name", "thrown", "taken", "broken", "seconds")] for entry in entries)
    )


def _mutants(entries: Sequence[Entry]) -> str:
    return _table(("Fault put in on purpose", "noticed by"), ([entry["name"], entry["by"]] for entry in entries))


if __name__ == "__main__":
    main()
