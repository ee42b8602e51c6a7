"""Stands for a Docker engine: its HTTP API over a unix socket, and containers that are folders of this machine."""

from __future__ import annotations

import array
import fcntl
import json
import socketserver
import struct
import subprocess
import termios
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class DockerEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers what the Docker SDK asks to run commands; runs them in the folder bound to /workspace."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.address = folder / "docker.sock"
        self.pids = folder / "tmp"
        self.pids.mkdir()
        self.images = {"python:3-slim"}
        self.pulled: list[str] = []
        self.containers: dict[str, dict[str, Any]] = {}
        self.commands: dict[str, tuple[str, list[str]]] = {}
        self.exit_codes: dict[str, int] = {}
        self.stopped: list[str] = []
        super().__init__(str(self.address), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"unix://{self.address}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def run(self, exec_id: str) -> bytes:
        container_id, argv = self.commands[exec_id]
        binds = dict(bind.split(":")[1::-1] for bind in self.containers[container_id]["HostConfig"]["Binds"])
        workspace = binds["/workspace"]
        inside = [each.replace("/tmp/agentopic", f"{self.pids}/agentopic") for each in argv]
        local = [each.replace("/workspace", workspace) for each in inside]
        done = subprocess.run(local, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.exit_codes[exec_id] = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return done.stdout


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def address_string(self) -> str:
        return "sdk"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base names it
        pass

    def do_HEAD(self) -> None:
        self._say(200, None)

    def do_GET(self) -> None:
        match self._path():
            case ["_ping"]:
                self._say(200, "OK")
            case ["version"]:
                self._say(200, {"ApiVersion": "1.44", "MinAPIVersion": "1.24", "Version": "27"})
            case ["images", *name, "json"]:
                known = "/".join(name) in self.server.images
                self._say(200 if known else 404, {"Id": "/".join(name)} if known else {"message": "no such image"})
            case ["containers", container, "json"]:
                self._say(200, {"Id": container, "State": {"Status": "running"}, "Name": container})
            case ["exec", exec_id, "json"]:
                self._say(200, {"ExitCode": self.server.exit_codes[exec_id], "Running": False})
            case other:
                self._say(404, {"message": f"unknown {other}"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        engine, query = self.server, parse_qs(urlsplit(self.path).query)
        match self._path():
            case ["images", "create"]:
                name = f"{query['fromImage'][0]}:{query.get('tag', ['latest'])[0]}"
                if name.startswith("missing"):
                    self._say(404, {"message": "pull access denied"})
                    return
                engine.images.add(name)
                engine.pulled.append(name)
                self._say(200, {"status": "done"})
            case ["containers", "create"]:
                container = f"c{len(engine.containers)}"
                engine.containers[container] = {**body, "name": query["name"][0]}
                self._say(201, {"Id": container, "Warnings": []})
            case ["containers", _, "start"]:
                self._say(204, None)
            case ["containers", container, "stop"]:
                engine.stopped.append(container)
                self._say(204, None)
            case ["containers", container, "exec"]:
                exec_id = f"e{len(engine.commands)}"
                engine.commands[exec_id] = (container, body["Cmd"])
                self._say(201, {"Id": exec_id})
            case ["exec", exec_id, "start"]:
                self._stream(exec_id, detach=body["Detach"])
            case other:
                self._say(404, {"message": f"unknown {other}"})

    def _path(self) -> list[str]:
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/") if part]
        return parts[1:] if parts[0].startswith("v1.") else parts

    def _say(self, status: int, said: Any) -> None:
        text = b"" if said is None else (said.encode() if isinstance(said, str) else json.dumps(said).encode())
        self.send_response(status)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Type", "text/plain" if isinstance(said, str) else "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _stream(self, exec_id: str, *, detach: bool) -> None:
        if detach:
            threading.Thread(target=self.server.run, args=(exec_id,), daemon=True).start()
            self._say(200, None)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.docker.raw-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self._wait_until_read()
        output = self.server.run(exec_id)
        for start in range(0, len(output), 65_536):
            piece = output[start : start + 65_536]
            self.wfile.write(struct.pack(">BxxxL", 1, len(piece)) + piece)
        self.close_connection = True

    def _wait_until_read(self) -> None:
        """Until the SDK has read the head: it reads the output past the buffer it read the head into."""
        unread = array.array("i", [1])
        while unread[0]:
            fcntl.ioctl(self.connection, termios.TIOCOUTQ, unread)
            threading.Event().wait(0.001)
