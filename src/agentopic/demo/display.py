"""What people see while the demo runs and when it has ended."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from agentopic.demo.result import DemoResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far a run has come."""

    published: int = 0
    findings: int = 0
    reports: int = 0
    calls: int = 0


class Display:
    """Shows a run on stderr; this one shows nothing."""

    def note(self, line: str) -> None:
        """Say that something has happened."""

    def show(self, stand: Stand) -> None:
        """Show how far the run has come."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


class Lines(Display):
    """Plain lines, for logs and pipes: one per event, and one per quarter of the reports."""

    def __init__(self, tasks: int) -> None:
        self._tasks = tasks
        self._quarters = 0

    def note(self, line: str) -> None:
        """Print the line."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def show(self, stand: Stand) -> None:
        """Print a line when another quarter of the reports is there."""
        quarters = 4 * stand.reports // self._tasks
        if quarters > self._quarters:
            self._quarters = quarters
            self.note(f"{stand.reports} of {self._tasks} reports, {stand.findings} parts, {stand.calls} model calls")


class Live(Display):
    """A bar that moves, on a terminal."""

    def __init__(self, tasks: int) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} reports"),
            TextColumn("{task.fields[findings]} parts  {task.fields[calls]} model calls"),
            TimeElapsedColumn(),
            console=Console(stderr=True, highlight=False),
        )
        self._bar = self._progress.add_task("starting", total=tasks, findings=0, calls=0)

    def note(self, line: str) -> None:
        """Print the line above the bar."""
        self._progress.console.print(line, markup=False)

    def show(self, stand: Stand) -> None:
        """Move the bar."""
        self._progress.update(
            self._bar,
            completed=stand.reports,
            findings=stand.findings,
            calls=stand.calls,
            description=f"{stand.published} tasks",
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def display_for(tasks: int, *, progress: bool) -> Display:
    """Return what fits the place where stderr goes."""
    if not progress:
        return Display()
    return Live(tasks) if sys.stderr.isatty() else Lines(tasks)


def print_json(result: DemoResult) -> None:
    """Print the result as one JSON document on stdout."""
    sys.stdout.write(json.dumps({**asdict(result), "ok": result.ok}, indent=2, ensure_ascii=False) + "\n")


def print_table(result: DemoResult) -> None:
    """Print the result as a table on stdout."""
    console = Console(file=sys.stdout, highlight=False, markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim", no_wrap=True)
    for row in _rows(result):
        table.add_row(*row)
    console.print(table)
    console.print(f"\n{result.road}; files of the run in {result.directory}\nread the output events: {result.look}")
    for fault in result.figures.faults:
        console.print(f"WRONG: {fault}", style="bold red")


def _rows(result: DemoResult) -> Iterator[tuple[str, str, str]]:
    counted = result.figures
    yield "tasks", str(counted.tasks), "acknowledged to the publisher"
    yield "results", str(counted.results), "reports the subscriber has"
    yield "lost", str(counted.lost), "tasks without a report"
    yield "duplicates", str(counted.duplicates), "reports, parts or findings beyond one each"
    yield "numbers checked", str(counted.numbers), "computed once more from the data"
    yield "numbers wrong", str(counted.numbers_wrong), ""
    yield "model calls", str(counted.model_calls), f"{result.model}, {counted.model_tokens} tokens"
    if result.runtime_type == "distributed":
        yield "open at the kill", str(counted.open_at_kill), f"of {result.killed}, by SIGKILL" if result.killed else ""
        yield "re-paid", str(counted.calls_repaid), "at most those open at the kill"
        yield "sent again", str(counted.sent_again), "findings with the same id, being sent at the kill"
    yield "p50 per task", _seconds(counted.p50_seconds), "from publishing to the report"
    yield "p95 per task", _seconds(counted.p95_seconds), ""
    yield "whole run", _seconds(result.seconds), "with starting and stopping"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
