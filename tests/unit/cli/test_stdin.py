from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentopic.cli.stdin import line_batches, stdin_lines


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.FileIO]:
    """Stdin as the end of a pipe; what is written to the other end is typed."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "r") as stdin, os.fdopen(writing, "wb", buffering=0) as typed:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield typed


async def test_lines_of_a_pipe_come_as_they_are_written(pipe: io.FileIO):
    async with stdin_lines() as lines:
        batches = line_batches(lines, 10)
        pipe.write(b"a\nb\n")
        first = await anext(batches)
        pipe.write(b"c\n")
        second = await anext(batches)
        pipe.close()
        rest = [batch async for batch in batches]

    assert (first, second, rest) == ([b"a\n", b"b\n"], [b"c\n"], [])


async def test_a_batch_has_at_most_so_many_lines(pipe: io.FileIO):
    pipe.write(b"a\nb\nc\n")
    pipe.close()

    async with stdin_lines() as lines:
        batches = [batch async for batch in line_batches(lines, 2)]

    assert batches == [[b"a\n", b"b\n"], [b"c\n"]]


async def test_a_last_line_needs_no_end(pipe: io.FileIO):
    pipe.write(b"a\nb")
    pipe.close()

    async with stdin_lines() as lines:
        read = [line async for batch in line_batches(lines, 10) for line in batch]

    assert read == [b"a\n", b"b"]


async def test_a_file_as_stdin_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "lines").write_text("a\nb\n")

    with (tmp_path / "lines").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        async with stdin_lines() as lines:
            batches = [batch async for batch in line_batches(lines, 10)]

    assert batches == [[b"a\n", b"b\n"]]
