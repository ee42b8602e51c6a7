"""An outside subscriber: a program of another team that keeps every event it is given, repeats included.

    subscriber.py FOLDER kafka BOOTSTRAP GROUP TOPIC...   with a plain Kafka consumer, from the beginning
    subscriber.py FOLDER lines                            CloudEvents on stdin, one structured JSON per line

Events of type demo.Report.v1 become lines of FOLDER/reports.jsonl, those of demo.Part.v1 of FOLDER/parts.jsonl, and so
on: when it came, and the event.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """Read until the end of the input or SIGTERM."""
    folder, door, *rest = arguments
    if door == "kafka":
        asyncio.run(_from_kafka(Path(folder), *rest))
        return 0
    # The pipe ends when its writer does; what is in it by then shall still be kept.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        _keep(Path(folder), json.loads(line))
    return 0


async def _from_kafka(folder: Path, bootstrap: str, group: str, *topics: str) -> None:
    from aiokafka import AIOKafkaConsumer

    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    consumer: Any = AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=True
    )
    await consumer.start()
    try:
        while not ended.is_set():
            batches = await consumer.getmany(timeout_ms=200)
            for records in batches.values():
                for record in records:
                    _keep(folder, _event(record.headers, record.value))
    finally:
        await consumer.stop()


def _event(headers: Iterable[tuple[str, bytes]], value: bytes) -> dict[str, Any]:
    """Read a CloudEvent in binary mode: its attributes are headers, its data is the value."""
    attributes = {name: text.decode() for name, text in headers}
    event = {name.removeprefix("ce_"): text for name, text in attributes.items() if name.startswith("ce_")}
    return {**event, "datacontenttype": attributes["content-type"], "data": json.loads(value)}


def _keep(folder: Path, event: dict[str, Any]) -> None:
    """Write an event down before the next one is read."""
    kind = event["type"].split(".")[-2].lower()
    with (folder / f"{kind}s.jsonl").open("a") as file:
        file.write(json.dumps({"received": time.time(), **event}) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
