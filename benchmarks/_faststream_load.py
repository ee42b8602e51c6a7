"""FastStream's part: one event published for every message; runs in the oracle environment.

`python _faststream_load.py <bootstrap> <topic> <out topic> <group> <acknowledgement policy> <messages>`
"""

import asyncio
import importlib
import json
import sys
import time

faststream = importlib.import_module("faststream")
kafka = importlib.import_module("faststream.kafka")
pydantic = importlib.import_module("pydantic")


class Task(pydantic.BaseModel):
    number: int
    text: str


async def main(bootstrap, topic, out, group, policy, messages):
    broker = kafka.KafkaBroker(bootstrap, logger=None)
    publisher = broker.publisher(out)
    done = asyncio.Event()
    counts = {"seen": 0, "began": 0.0, "used": 0.0}

    acknowledged = faststream.AckPolicy[policy]

    @broker.subscriber(topic, group_id=group, auto_offset_reset="earliest", ack_policy=acknowledged)
    async def handle(task: Task) -> None:
        if not counts["seen"]:
            counts["began"], counts["used"] = time.perf_counter(), time.process_time()
        await publisher.publish(task, no_confirm=True)  # its fastest way: it does not wait for the broker
        counts["seen"] += 1
        if counts["seen"] == messages:
            done.set()

    await broker.start()
    await done.wait()
    seconds, used = time.perf_counter() - counts["began"], time.process_time() - counts["used"]
    await broker.stop()
    return {"per_second": messages / seconds, "cpu_us": used / messages * 1e6}


if __name__ == "__main__":
    json.dump(asyncio.run(main(*sys.argv[1:6], int(sys.argv[6]))), sys.stdout)
