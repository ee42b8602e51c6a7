"""AutoGen's part: publish to handled over its gRPC host, host and worker in processes of their own.

`python _autogen_grpc_load.py <port> <messages>` in the oracle environment starts the host and prints the figures.
"""

import asyncio
import importlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass

core = importlib.import_module("autogen_core")
grpc_runtimes = importlib.import_module("autogen_ext.runtimes.grpc")


@dataclass
class Task:
    number: int
    text: str


class Counter(core.RoutedAgent):
    seen = wanted = 0
    done: asyncio.Event

    @core.event
    async def on_task(self, message: Task, ctx: core.MessageContext) -> None:
        Counter.seen += 1
        if Counter.seen == Counter.wanted:
            Counter.done.set()


async def host(address):
    runtime = grpc_runtimes.GrpcWorkerAgentRuntimeHost(address=address)
    runtime.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


async def worker(address, messages):
    runtime = grpc_runtimes.GrpcWorkerAgentRuntime(host_address=address)
    await runtime.start()
    await Counter.register(runtime, "counter", lambda: Counter("counts"))
    await runtime.add_subscription(core.TypeSubscription("task", "counter"))
    serializers = core.try_get_known_serializers_for_type(Task)
    runtime.add_message_serializer(serializers)
    await _round(runtime, 100)
    used, began = time.process_time(), time.perf_counter()
    await _round(runtime, messages)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    await runtime.stop()
    return {"per_second": messages / seconds, "cpu_us": used / messages * 1e6}


async def _round(runtime, messages):
    Counter.seen, Counter.wanted, Counter.done = 0, messages, asyncio.Event()
    for number in range(messages):
        await runtime.publish_message(Task(number, "x" * 480), core.TopicId("task", f"customer-{number % 500}"))
    await Counter.done.wait()


def main():
    address = f"127.0.0.1:{sys.argv[1]}"
    if sys.argv[2] == "host":
        asyncio.run(host(address))
        return
    with subprocess.Popen([sys.executable, __file__, sys.argv[1], "host"], stdout=subprocess.PIPE) as server:
        try:
            server.stdout.readline()
            json.dump(asyncio.run(worker(address, int(sys.argv[2]))), sys.stdout)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
