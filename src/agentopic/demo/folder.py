"""The working directory of one run: where its processes keep their files."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(".demo")
_KEPT: Final = "keep"
_RUNNING: Final = "running"


class RunFolder:
    """A directory of this run alone. It stays behind, so that its events can be read, until a later run."""

    def __init__(self, *, keep: bool) -> None:
        _remove_former()
        name = dt.datetime.now().astimezone().strftime("%Y%m%d-%H%M%S-%f")
        self.path = (_ROOT / name).absolute()
        self.path.mkdir(parents=True)
        self.shown = _ROOT / name
        (self.path / _RUNNING).write_text(str(os.getpid()))
        if keep:
            (self.path / _KEPT).touch()

    @property
    def name(self) -> str:
        """A name of this run alone, fit for namespaces and databases."""
        return f"demo-{self.path.name}"

    def close(self) -> None:
        """Say that the run is over; what is left of temporary files goes."""
        shutil.rmtree(self.path / "tmp", ignore_errors=True)
        (self.path / _RUNNING).unlink(missing_ok=True)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return the whole lines of a file of JSON lines; none while there is no file."""
        path = self.path / name
        if not path.exists():
            return []
        text = path.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def write_lines(self, name: str, values: Sequence[Mapping[str, Any]]) -> Path:
        """Write a file of JSON lines."""
        path = self.path / name
        path.write_text("".join(json.dumps(value) + "\n" for value in values))
        return path


def _remove_former() -> None:
    """Remove the directories of runs that were not told to keep theirs and are not under way."""
    for former in _ROOT.glob("*-*"):
        if not (former / _KEPT).exists() and not _is_running(former):
            shutil.rmtree(former, ignore_errors=True)


def _is_running(folder: Path) -> bool:
    try:
        os.kill(int((folder / _RUNNING).read_text()), 0)
    except (OSError, ValueError):
        return False
    return True
