"""An MCP server over stdio, without any SDK, that notes what it is asked to do in a file."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

SCHEMA = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}


def called(log: Path, name: str, item: str) -> dict[str, Any]:
    with log.open("a") as lines:
        lines.write(f"{name}\n")
    if name == "hang":
        time.sleep(600)
    return {"content": [{"type": "text", "text": f"{name} {item}"}]}


def answered(log: Path, method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        info = {"name": "till", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": info}
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": SCHEMA} for name in ("look", "hang")]}
    return called(log, params["name"], params["arguments"]["item"])


def main() -> None:
    log = Path(sys.argv[1])
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = answered(log, message["method"], message.get("params") or {})
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}) + "\n")
            sys.stdout.flush()


main()
