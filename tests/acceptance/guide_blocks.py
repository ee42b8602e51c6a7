"""The code blocks of a guide, each with the comment above it that says what becomes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>.+?) -->\n)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block."""

    guide: str
    line: int
    language: str
    mark: str
    """What stands in the comment above: `run: …`, `prints…`, `example: …`, `not run: why`; empty without one."""
    text: str

    def __str__(self) -> str:
        return f"{self.guide}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A block that is run, with the outputs that stand below it."""

    block: Block
    how: str
    prints: dict[str, str]

    def __str__(self) -> str:
        return str(self.block)


def blocks(guide: Path, root: Path) -> list[Block]:
    """Return all fenced blocks of a guide, in order."""
    text = guide.read_text()
    return [
        Block(
            guide=guide.relative_to(root).as_posix(),
            line=text.count("\n", 0, match.start()) + 1,
            language=match["language"],
            mark=match["mark"] or "",
            text=match["text"],
        )
        for match in _BLOCK.finditer(text)
    ]


def programs(found: list[Block]) -> list[Program]:
    """Return the blocks to run; a `prints` block belongs to the programs above it that have none of its own yet."""
    made: list[Program] = []
    for block in found:
        kind, _, rest = block.mark.partition(": ")
        if kind == "run":
            made.append(Program(block=block, how=rest, prints={}))
        elif kind == "prints":
            for program in reversed(made):
                if rest in program.prints or (not rest and program.prints):
                    break
                program.prints[rest] = block.text
                if rest:
                    break
    return made
