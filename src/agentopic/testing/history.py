"""What was done to a mesh and what came of it, as facts in a file that any process may append to."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Operation = Literal["publish", "call", "output", "request", "turn", "fault", "dead", "cancel"]
Phase = Literal["invoke", "ok", "fail", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened, as one side saw it.

    `publish` is accepted at its `ok`. A `call` is paid at its `invoke` and safe at its `ok`, noted once its result is
    in the journal; `unknown` says that it may be about to be made, since the instant between the last check and the
    call belongs to nobody. A `turn` begins at `invoke`. An `output` is seen at its `ok`, with its event id as `id`. A
    `request` ends at its first `ok` or `fail`; `unknown` when its caller died. A `dead` letter is seen at its `ok`. A
    `fault` names the process it hit, empty when it hit something else. What was published and is to be given up, from
    a `cancel` on, may end without an output.
    """

    operation: Operation
    phase: Phase
    subject: str
    """What is asked, paid, answered: the same text on every side. Of a fault: its kind."""
    process: str = ""
    key: str = ""
    """The agent it concerns, for order."""
    id: str = ""
    detail: dict[str, Any] = field(default_factory=dict[str, Any])
    at: float = 0.0


class Record(Protocol):
    """Where facts go."""

    def note(self, operation: Operation, phase: Phase, subject: str, **more: Any) -> None:
        """Add one fact; `more` are fields of `Fact`, the rest of them its detail."""
        ...


def _fact(operation: Operation, phase: Phase, subject: str, more: dict[str, Any], at: float) -> Fact:
    named = {name: more.pop(name) for name in ("process", "key", "id") if name in more}
    return Fact(operation=operation, phase=phase, subject=subject, detail=more, at=at, **named)


class History:
    """Facts in memory, in order."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def note(self, operation: Operation, phase: Phase, subject: str, **more: Any) -> None:
        """Add one fact."""
        self.facts.append(_fact(operation, phase, subject, more, float(len(self.facts))))


class HistoryFile:
    """Facts as JSON lines; several processes may append to one file, each line whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: list[Fact] = []
        self._offset = 0

    def note(self, operation: Operation, phase: Phase, subject: str, **more: Any) -> None:
        """Append one fact, with this process's id unless another process is named."""
        more.setdefault("process", str(os.getpid()))
        line = json.dumps(asdict(_fact(operation, phase, subject, more, time.time()))) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def read(self) -> Sequence[Fact]:
        """Return all whole lines; those read before are not parsed again."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            added = file.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._read.extend(Fact(**json.loads(line)) for line in whole.splitlines())
        return tuple(self._read)


def in_flight(facts: Sequence[Fact], process: str) -> frozenset[str]:
    """Return the calls this process has begun and not safely ended."""
    open_calls: set[str] = set()
    for fact in facts:
        if fact.operation == "call" and fact.process == process:
            (open_calls.add if fact.phase == "invoke" else open_calls.discard)(fact.subject)
    return frozenset(open_calls)
