"""The load of the in-process comparison: `python _in_process_load.py <package> <messages>` prints µs per message."""

import asyncio
import importlib
import json
import sys
import time
from dataclasses import dataclass

core = importlib.import_module(sys.argv[1])


@dataclass
class Ping:
    number: int
    text: str = "x" * 512


@dataclass
class Pong:
    number: int


class Echo(core.RoutedAgent):
    @core.message_handler
    async def on_ping(self, message: Ping, ctx: core.MessageContext) -> Pong:
        return Pong(message.number)


class Counter(core.RoutedAgent):
    seen = 0
    wanted = 0
    done: asyncio.Event

    @core.event
    async def on_ping(self, message: Ping, ctx: core.MessageContext) -> None:
        Counter.seen += 1
        if Counter.seen == Counter.wanted:
            Counter.done.set()


async def measure(messages: int) -> dict[str, float]:
    runtime = core.SingleThreadedAgentRuntime()
    await Echo.register(runtime, "echo", lambda: Echo("answers"))
    await Counter.register(runtime, "counter", lambda: Counter("counts"))
    await runtime.add_subscription(core.TypeSubscription("news", "counter"))
    runtime.start()
    echo, news = core.AgentId("echo", "k"), core.TopicId("news", "k")
    await runtime.send_message(Ping(0), echo)
    began = time.perf_counter()
    for number in range(messages):
        await runtime.send_message(Ping(number), echo)
    sent = time.perf_counter()
    await asyncio.gather(*(runtime.send_message(Ping(number), echo) for number in range(messages)))
    gathered = time.perf_counter()
    Counter.wanted, Counter.done = messages, asyncio.Event()
    for number in range(messages):
        await runtime.publish_message(Ping(number), news)
    await Counter.done.wait()
    handled = time.perf_counter()
    await runtime.stop_when_idle()
    spans = {"send": sent - began, "send_concurrent": gathered - sent, "publish": handled - gathered}
    return {name: seconds / messages * 1e6 for name, seconds in spans.items()}


if __name__ == "__main__":
    json.dump(asyncio.run(measure(int(sys.argv[2]))), sys.stdout)
