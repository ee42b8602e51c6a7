"""An outside publisher: a program of another team that puts CloudEvents on a topic, and counts what was taken.

    publisher.py TASKS LOG kafka BOOTSTRAP TOPIC     with a plain Kafka producer
    publisher.py TASKS LOG command PROGRAM [ARG...]  through a program that reads lines, such as `agentopic publish`

TASKS has one JSON object per line. Each acknowledged event becomes a line of LOG: task, event id, time.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

SOURCE = "/newsroom/desk"
TYPE = "demo.Task.v1"


def main(arguments: list[str]) -> int:
    """Publish every task; the exit code says whether all were taken."""
    tasks_file, log_file, door, *rest = arguments
    tasks = [json.loads(line) for line in Path(tasks_file).read_text().splitlines()]
    with Path(log_file).open("a") as log:
        if door == "kafka":
            bootstrap, topic = rest
            asyncio.run(_to_kafka(tasks, bootstrap, topic, log))
            return 0
        return _through_command(tasks, rest, log)


async def _to_kafka(tasks: list[dict[str, Any]], bootstrap: str, topic: str, log: Any) -> None:
    from aiokafka import AIOKafkaProducer

    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        for task in tasks:
            event_id = str(uuid.uuid4())
            headers = [
                ("ce_specversion", b"1.0"),
                ("ce_id", event_id.encode()),
                ("ce_source", SOURCE.encode()),
                ("ce_type", TYPE.encode()),
                ("ce_subject", task["task"].encode()),
                ("content-type", b"application/json"),
            ]
            value = json.dumps(task).encode()
            await producer.send_and_wait(topic, value, key=task["task"].encode(), headers=headers)
            _note(log, task["task"], event_id)
    finally:
        await producer.stop()


def _through_command(tasks: list[dict[str, Any]], command: list[str], log: Any) -> int:
    lines = "".join(json.dumps(task) + "\n" for task in tasks).encode()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - ours
        if process.stdin is None or process.stdout is None:
            return 1
        process.stdin.write(lines)
        process.stdin.close()
        for task, line in zip(tasks, process.stdout, strict=False):
            _note(log, task["task"], json.loads(line)["id"])
    return process.returncode


def _note(log: Any, task: str, event_id: str) -> None:
    log.write(json.dumps({"task": task, "id": event_id, "published": time.time()}) + "\n")
    log.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
