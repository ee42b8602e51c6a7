"""An MCP server over stdio written without any SDK: it says what tests need, and misbehaves on request."""

from __future__ import annotations

import json
import os
import sys
import time

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def schema(**properties):
    return {"type": "object", "properties": properties}


TOOLS = [
    {
        "name": "add",
        "description": "adds",
        "inputSchema": {
            "type": "object",
            "properties": {"a": {"type": "integer", "description": "first"}, "b": {"type": "integer", "default": 2}},
            "required": ["a"],
        },
    },
    *({"name": name, "inputSchema": schema()} for name in ("mixed", "fail", "refuse", "die", "hang", "huge", "meta")),
    {"name": "sample", "inputSchema": schema()},
    {
        "name": "tree",
        "inputSchema": {
            "type": "object",
            "properties": {"root": {"$ref": "#/$defs/Node"}},
            "$defs": {"Node": {"type": "object", "properties": {"child": {"$ref": "#/$defs/Node"}}}},
        },
    },
]


def send(message) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def text(value):
    return {"content": [{"type": "text", "text": str(value)}]}


def receive():
    return json.loads(sys.stdin.readline())


def called(name, arguments, meta):
    if name == "add":
        return text(arguments["a"] + arguments.get("b", 2))
    if name == "mixed":
        return {
            "content": [
                {"type": "text", "text": "t"},
                {"type": "image", "data": PIXEL, "mimeType": "image/png"},
                {"type": "image", "data": "no image", "mimeType": "image/png"},
                {"type": "resource", "resource": {"uri": "mem://a", "text": "rt", "mimeType": "text/plain"}},
                {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"},
            ]
        }
    if name == "fail":
        return {**text("it failed"), "isError": True}
    if name == "die":
        os._exit(3)
    if name == "hang":
        time.sleep(600)
    if name == "huge":
        return text("x" * 9_000_000)
    if name == "meta":
        return text(json.dumps(meta))
    if name == "sample":
        content = {"type": "text", "text": "say hi"}
        params = {"messages": [{"role": "user", "content": content}], "maxTokens": 5, "systemPrompt": "be brief"}
        send({"id": 99, "method": "sampling/createMessage", "params": params})
        return text(json.dumps(receive().get("result", {}).get("content")))
    return None


def answered(method, params):
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}, "prompts": {}, "resources": {}},
            "serverInfo": {"name": "rough", "version": "1"},
        }
    if method == "tools/list":
        if params.get("cursor") is None:
            return {"tools": TOOLS[:2], "nextCursor": "2"}
        return {"tools": TOOLS[2:]}
    if method == "tools/call":
        return called(params["name"], params.get("arguments") or {}, params.get("_meta"))
    if method == "prompts/list":
        return {"prompts": [{"name": "greet"}]}
    if method == "prompts/get":
        message = {"role": "user", "content": {"type": "text", "text": f"hi {params['arguments']['who']}"}}
        return {"messages": [message]}
    if method == "resources/list":
        return {"resources": [{"uri": "mem://a", "name": "a"}]}
    if method == "resources/templates/list":
        return {"resourceTemplates": [{"uriTemplate": "mem://{x}", "name": "t"}]}
    if method == "resources/read":
        return {"contents": [{"uri": params["uri"], "text": "content"}]}
    return None


def main() -> None:
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    if how == "silent":
        time.sleep(600)
    if how == "garbage":
        sys.stdout.write("this is no JSON\n\0\xff\n")
        sys.stdout.flush()
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        result = answered(message["method"], message.get("params") or {})
        if result is None:
            send({"id": message["id"], "error": {"code": -32602, "message": "no such thing"}})
        else:
            send({"id": message["id"], "result": result})


main()
