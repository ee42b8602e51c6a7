"""Runs each program of a folder in one process, and prints as JSON what each has printed; also under AutoGen."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import json
import sys
import warnings

SECONDS = 20


async def _bounded(name: str) -> None:
    async with asyncio.timeout(SECONDS):
        await importlib.import_module(name).main()


def _printed(name: str) -> str:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        asyncio.run(_bounded(name))
    return text.getvalue()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    folder, *names = sys.argv[1:]
    sys.path.insert(0, folder)
    json.dump({name: _printed(name) for name in names}, sys.stdout)
