"""Applying a unified diff to a text, as models write them: the text must fit, line numbers need not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agentopic.errors import PatchError

_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")
_NO_NEWLINE = "\\"


@dataclass(slots=True)
class _Hunk:
    start: int
    """Index of its first old line, as far as the patch knows."""
    old: list[str] = field(default_factory=list[str])
    new: list[str] = field(default_factory=list[str])


def apply_unified_diff(text: str, patch: str) -> str:
    """The text after the patch of one file; a file header is not needed.

    Raises:
        PatchError: the patch has no hunk, is for several files, or does not fit.
    """
    hunks = _hunks(patch)
    lines = text.splitlines(keepends=True)
    if lines and hunks and not lines[-1].endswith("\n"):
        lines[-1] += "\n"  # what the patch keeps or adds there gets the newline that patches assume
        unended = True
    else:
        unended = False
    shift = 0
    for hunk in hunks:
        at = _place(lines, hunk, hunk.start + shift)
        lines[at : at + len(hunk.old)] = hunk.new
        shift = at - hunk.start + len(hunk.new) - len(hunk.old)
    return _ended("".join(lines), patch, unended=unended)


def _hunks(patch: str) -> list[_Hunk]:
    hunks, files = list[_Hunk](), 0
    for line in patch.splitlines(keepends=True):
        head = _HUNK.match(line)
        if head is not None:
            hunks.append(_Hunk(max(0, int(head[1]) - 1)))
        elif line.startswith("--- ") and (not hunks or _looks_like_header(patch, line)):
            files += 1
        elif hunks:
            _take(hunks[-1], line if line.endswith("\n") else f"{line}\n")
    if files > 1:
        raise PatchError("the patch is for several files; apply one at a time")
    if not hunks or not any(hunk.old or hunk.new for hunk in hunks):
        raise PatchError("the patch is empty: it has no hunk that begins with @@ -line,count +line,count @@")
    return hunks


def _looks_like_header(patch: str, line: str) -> bool:
    """Whether a `--- ` line begins another file, rather than removing a line that begins with two dashes."""
    following = patch.partition(line)[2]
    return following.startswith("+++ ")


def _take(hunk: _Hunk, line: str) -> None:
    sign, rest = line[0], line[1:]
    if sign == "-":
        hunk.old.append(rest)
    elif sign == "+" and not line.startswith("+++ "):
        hunk.new.append(rest)
    elif sign in {" ", "\n"}:
        kept = rest or "\n"
        hunk.old.append(kept)
        hunk.new.append(kept)
    elif sign != _NO_NEWLINE and not line.startswith(("+++ ", "diff ", "index ")):
        raise PatchError(f"not a line of a patch: {line.strip()[:80]!r}")


def _place(lines: list[str], hunk: _Hunk, guess: int) -> int:
    """Where a hunk fits, nearest to where it says."""
    if not hunk.old:
        return min(guess + 1, len(lines)) if lines else 0
    places = [at for at in range(len(lines) - len(hunk.old) + 1) if lines[at : at + len(hunk.old)] == hunk.old]
    if not places:
        raise PatchError(f"the patch does not fit: {hunk.old[0].rstrip()!r} and what follows it is not in the file")
    return min(places, key=lambda at: abs(at - guess))


def _ended(text: str, patch: str, *, unended: bool) -> str:
    marks = [previous[:1] for previous, line in _pairs(patch) if line.startswith(_NO_NEWLINE)]
    if (marks and marks[-1] in {"+", " "}) or (unended and not _touches_end(text, patch)):
        return text.removesuffix("\n")
    return text


def _touches_end(text: str, patch: str) -> bool:
    last = text.splitlines()[-1] if text else ""
    return any(line == f"+{last}" for line in patch.splitlines())


def _pairs(patch: str) -> list[tuple[str, str]]:
    lines = patch.splitlines()
    return list(zip(lines, lines[1:], strict=False))
