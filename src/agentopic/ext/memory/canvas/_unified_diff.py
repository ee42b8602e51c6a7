"""Applying a unified diff to a text, as models write them: the text must fit, line numbers need not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agentopic.errors import PatchError

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_BETWEEN_FILES = ("diff ", "index ", "new file", "deleted file", "similarity ", "rename ")


@dataclass(slots=True)
class _Hunk:
    start: int
    """Index of its first old line, as far as the patch knows."""
    counts: tuple[int, int]
    """How many old and new lines it says it has."""
    old: list[str] = field(default_factory=list[str])
    new: list[str] = field(default_factory=list[str])
    ended: bool | None = None
    """Whether its last new line ends with a newline; None: as the line it was before."""
    last: str = ""
    """The sign of the line before: a mark of a missing newline belongs to it."""

    @property
    def is_full(self) -> bool:
        """Whether it has the lines it says it has; models miscount, so more may come."""
        return len(self.old) >= self.counts[0] and len(self.new) >= self.counts[1]


def apply_unified_diff(text: str, patch: str) -> str:
    """The text after the patch of one file; a file header is not needed.

    Raises:
        PatchError: the patch has no hunk, is for several files, or does not fit.
    """
    ended = text.endswith("\n") or not text
    lines = text.removesuffix("\n").split("\n") if text else []
    shift = 0
    for hunk in _hunks(patch):
        at = _place(lines, hunk, hunk.start + shift)
        if at + len(hunk.old) == len(lines) and hunk.ended is not None:
            ended = hunk.ended
        lines[at : at + len(hunk.old)] = hunk.new
        shift = at - hunk.start + len(hunk.new) - len(hunk.old)
    return "\n".join(lines) + ("\n" if ended and lines else "")


def _hunks(patch: str) -> list[_Hunk]:
    hunks, headers = list[_Hunk](), 0
    lines = patch.removesuffix("\n").split("\n")
    for number, line in enumerate(lines):
        head = _HUNK.match(line)
        if head is not None:
            hunks.append(_Hunk(max(0, int(head[1]) - 1), (int(head[2] or 1), int(head[3] or 1))))
        elif hunks and not hunks[-1].is_full:
            _take(hunks[-1], line)
        elif line.startswith("--- ") and number + 1 < len(lines) and lines[number + 1].startswith("+++ "):
            headers += 1
        elif hunks and not (line.startswith("+++ ") and lines[number - 1].startswith("--- ")):
            _take(hunks[-1], line)
    if headers > 1:
        raise PatchError("the patch is for several files; apply one at a time")
    if not any(hunk.old or hunk.new for hunk in hunks):
        raise PatchError("the patch is empty: it has no hunk that begins with @@ -line,count +line,count @@")
    return hunks


def _take(hunk: _Hunk, line: str) -> None:
    sign, rest = line[:1], line[1:]
    if sign == "-":
        hunk.old.append(rest)
        hunk.ended = True if hunk.ended is None else hunk.ended
    elif sign == "+":
        hunk.new.append(rest)
        hunk.ended = True
    elif sign in {" ", ""}:
        hunk.old.append(rest)
        hunk.new.append(rest)
        hunk.ended = None
    elif sign == "\\":
        if hunk.last != "-":
            hunk.ended = False
    elif not line.startswith(_BETWEEN_FILES):
        raise PatchError(f"not a line of a patch: {line[:80]!r}")
    hunk.last = sign


def _place(lines: list[str], hunk: _Hunk, guess: int) -> int:
    """Where a hunk fits, nearest to where it says."""
    size = len(hunk.old)
    if size == 0:
        return min(guess + 1, len(lines)) if lines else 0
    places = [at for at in range(len(lines) - size + 1) if lines[at : at + size] == hunk.old]
    if not places:
        raise PatchError(f"the patch does not fit: {hunk.old[0]!r} and what follows it is not in the file")
    return min(places, key=lambda at: abs(at - guess))
