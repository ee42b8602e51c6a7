"""The server as a process: `python -m agentopic.testing.scripted_model --script module:attr --log calls.jsonl`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from importlib import import_module
from pathlib import Path

from agentopic.testing.scripted_model.answers import Script
from agentopic.testing.scripted_model.forwarding import ForwardingScript
from agentopic.testing.scripted_model.server import ScriptedModel


async def serve(script: Script, log: Path, port: int) -> None:
    """Serve until SIGTERM or SIGINT; the address is printed as one line of JSON when the door is open."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with ScriptedModel(script, log, port=port) as model:
        sys.stdout.write(json.dumps({"address": model.address}) + "\n")
        sys.stdout.flush()
        await ended.wait()


def main(arguments: list[str]) -> int:
    """Run the server."""
    parser = argparse.ArgumentParser(prog="python -m agentopic.testing.scripted_model")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--script", metavar="MODULE:ATTR", help="the object that answers")
    chosen.add_argument("--forward", metavar="URL", help="base URL of a provider that answers instead")
    parser.add_argument("--log", type=Path, required=True, help="where calls are noted")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    given = parser.parse_args(arguments)
    script: Script = ForwardingScript(given.forward) if given.forward else _script(given.script)
    asyncio.run(serve(script, given.log, given.port))
    return 0


def _script(target: str) -> Script:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
