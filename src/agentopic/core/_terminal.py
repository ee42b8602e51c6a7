"""Asks a person on the terminal: how a question is put where no durable turn keeps it."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Sequence
from typing import Any


async def ask_on_terminal(text: str, *, choices: Sequence[str] | None = None, details: Any = None) -> str:
    """Print a question to stderr and return the line read from stdin; asked again until it is one of the choices.

    Raises:
        EOFError: there is nobody to answer: stdin has ended.
    """
    shown = text if details is None else f"{text}\n{json.dumps(details, ensure_ascii=False, indent=2)}"
    prompt = f"{shown}\n[{' / '.join(choices)}] " if choices else f"{shown} "
    while True:
        answer = await _line(prompt)
        if not choices or answer in choices:
            return answer


async def _line(prompt: str) -> str:
    # A thread of its own, a daemon: a pool would wait at exit for a line that nobody is going to type.
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def work() -> None:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, read, line)

    threading.Thread(target=work, name="agentopic-question", daemon=True).start()
    line = await read
    if not line:
        raise EOFError("stdin has ended: there is nobody to answer")
    return line.rstrip("\r\n")


def _resolve(read: asyncio.Future[str], line: str) -> None:
    if not read.done():
        read.set_result(line)
