"""Writes the table of every public symbol of AutoGen 0.7.5 into `from-autogen.md`.

Run it with the folder that has the AutoGen packages: `python docs/migrate/generate.py SITE_PACKAGES`. Both sides are
read from source. What a person has judged stands in `notes.toml` and wins over what the comparison found.
"""

from __future__ import annotations

import sys
import tomllib
from ast import literal_eval
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from surface import Package, Parameter, Symbol  # noqa: E402 - a neighbour of this script

PAGE = HERE / "from-autogen.md"
NOTES = HERE / "notes.toml"
BOUND = HERE / "absent.txt"
BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"
PACKAGES = {"autogen_core": "core", "autogen_agentchat": "agentchat", "autogen_ext": "ext"}
STATUSES = ("same", "better", "differs", "absent")
IGNORED_MEMBERS = frozenset({"model_config", "required_class_vars"})


@dataclass(frozen=True, slots=True)
class Row:
    """One symbol: what it is here, and why if it is not the same."""

    module: str
    name: str
    kind: str
    status: str
    note: str


def rows(site_packages: Path) -> list[Row]:
    """Every public symbol of AutoGen, module by module, with its status."""
    notes = tomllib.loads(NOTES.read_text(encoding="utf-8"))
    return [row for package in PACKAGES for row in _rows_of(site_packages, package, notes)]


def table(found: list[Row]) -> str:
    """The rows as Markdown, with the counts on top."""
    counted = Counter(row.status for row in found)
    lines = [", ".join(f"{counted[status]} {status}" for status in STATUSES) + f", of {len(found)} symbols.", ""]
    for module in dict.fromkeys(row.module for row in found):
        of_module = [row for row in found if row.module == module]
        lines += [f"### `{module}`", "", "| Symbol | | Here | |", "| --- | --- | --- | --- |"]
        lines += [f"| `{row.name}` | {row.kind} | {row.status} | {row.note} |" for row in of_module]
        lines.append("")
    return "\n".join(lines)


def page_with(text: str) -> str:
    """The page with this table in place of the one it has."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{text}{END}{after}"


def _rows_of(site_packages: Path, package: str, notes: dict[str, Any]) -> Iterator[Row]:
    theirs = Package(site_packages / package, package)
    part = PACKAGES[package]
    ours = Package(HERE.parents[1] / "src" / "agentopic" / part, f"agentopic.{part}")
    for module in theirs.modules():
        for name in theirs.names(module):
            their = theirs.symbol(module, name)
            our = ours.symbol(module.replace(package, f"agentopic.{part}", 1), name)
            status, note = _compared(their, our)
            reviewed = notes.get(f"{module}.{name}") or (notes.get(module) if our is None else None)
            if reviewed and not (our is None and reviewed["is"] != "absent"):
                status, note = reviewed["is"], reviewed["why"]
            yield Row(module, name, their.kind if their else "value", status, note)


def _compared(theirs: Symbol | None, ours: Symbol | None) -> tuple[str, str]:
    if ours is None:
        return "absent", ""
    if theirs is None:
        return "same", ""
    found = list(_differences(theirs, ours))
    return ("differs", "; ".join(found[:4])) if found else ("same", "")


def _differences(theirs: Symbol, ours: Symbol) -> Iterator[str]:
    if theirs.kind != ours.kind and "value" not in {theirs.kind, ours.kind}:
        yield f"a {ours.kind}"
        return
    if theirs.parameters is not None and ours.parameters is not None:
        yield from _parameter_differences("", theirs.parameters, ours.parameters)
    for name, (kind, parameters) in theirs.members.items():
        if name in IGNORED_MEMBERS or ours.kind != "class":
            continue
        mine = ours.members.get(name)
        if mine is None:
            yield f"no `{name}`"
        elif kind == mine[0] == "method":
            yield from _parameter_differences(f"{name}.", parameters or [], mine[1] or [])


def _parameter_differences(owner: str, theirs: list[Parameter], ours: list[Parameter]) -> Iterator[str]:
    mine = dict(ours)
    takes_rest = any(name.startswith("**") for name in mine)
    for name, default in theirs:
        if name.startswith("*"):
            continue
        if name not in mine:
            if not takes_rest:
                yield f"no parameter `{owner}{name}`"
        elif default is not None and mine[name] is None:
            yield f"parameter `{owner}{name}` has no default"
        elif _is_literal(default) and _is_literal(mine[name]) and literal_eval(default) != literal_eval(mine[name]):
            yield f"parameter `{owner}{name}` is {mine[name]}, not {default}, by default"
    required = [name for name, default in ours if default is None and not name.startswith("*")]
    for name in required:
        if name not in dict(theirs) and not any(each.startswith("*") for each, _ in theirs):
            yield f"needs `{owner}{name}`"


def _is_literal(source: str | None) -> TypeGuard[str]:
    try:
        literal_eval(source or "x")
    except ValueError:
        return False
    return True


def bound() -> int:
    """How many symbols may be absent: as many as when the table was last written."""
    return int(BOUND.read_text(encoding="utf-8"))


def main() -> None:
    """Write the page and the bound anew; refuse when more is absent than before."""
    found = rows(Path(sys.argv[1]))
    absent = [f"{row.module}.{row.name}" for row in found if row.status == "absent"]
    if len(absent) > bound():
        sys.exit(f"{len(absent)} symbols are absent, {bound()} were: " + ", ".join(absent))
    BOUND.write_text(f"{len(absent)}\n", encoding="utf-8")
    PAGE.write_text(page_with(table(found)), encoding="utf-8")
    print(Counter(row.status for row in found))  # noqa: T201 - what the script is run for


if __name__ == "__main__":
    main()
