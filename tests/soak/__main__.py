"""Work under random kills for some minutes: `python -m tests.soak [minutes] [orders per second]`; 1 when it broke."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import uuid
from dataclasses import asdict
from pathlib import Path

from agentopic.testing import fresh_database
from agentopic.testing.bed import Bed
from agentopic.testing.proof import write
from agentopic.testing.verdict import judge

from ..chaos.fleet import Fleet  # noqa: TID252 - the neighbouring suite has no absolute name
from ..chaos.outside import KEYS, Post  # noqa: TID252 - the neighbouring suite has no absolute name
from ..chaos.shop_mesh import Mesh  # noqa: TID252 - the neighbouring suite has no absolute name
from .watch import Watch

MINUTES, RATE = 5.0, 30.0
WAVE_SECONDS = 1.0
KILL_SECONDS = (10.0, 20.0)
WORKERS = 3
CALLS = "0.05,0.2"


async def soak(mesh: Mesh, watch: Watch, seconds: float, rate: float) -> int:
    """Publish at this rate and kill now and then; the first worker is spared, its memory is what is watched."""
    loop, number = asyncio.get_running_loop(), 0
    spared, *_ = await mesh.staff(WORKERS)
    end, kill_at = loop.time() + seconds, loop.time() + random.uniform(*KILL_SECONDS)
    while loop.time() < end:
        wave = range(number, number + max(1, round(rate * WAVE_SECONDS)))
        number = wave.stop
        await mesh.publish([Post(each, f"customer-{each % KEYS}") for each in wave])
        watch.look(spared.pid, published=number)
        if loop.time() >= kill_at:
            victim = next(each for each in mesh.fleet.workers if each is not spared and each.poll() is None)
            await mesh.fleet.kill(victim)
            mesh.fleet.start()
            kill_at = loop.time() + random.uniform(*KILL_SECONDS)
        await asyncio.sleep(WAVE_SECONDS)
    return number


async def main(arguments: list[str]) -> int:
    """Soak on servers of this run; print the figures and the verdict."""
    seconds = 60.0 * (float(arguments[0]) if arguments else MINUTES)
    rate = float(arguments[1]) if len(arguments) > 1 else RATE
    namespace = f"soak{uuid.uuid4().hex[:10]}"
    with tempfile.TemporaryDirectory() as place, Bed() as bed:
        async with fresh_database(bed.postgres, namespace) as dsn:
            with Fleet(
                Path(place),
                transport=f"kafka://{bed.kafka}",
                journal=dsn,
                namespace=namespace,
                CHAOS_CALL_SECONDS=CALLS,
            ) as fleet:
                mesh, watch = Mesh(bed.kafka, fleet), Watch(fleet.history)
                await soak(mesh, watch, seconds, rate)
                await mesh.settle(300.0)
                verdict = judge("soak", fleet.history.read())
    seen = watch.figures()
    figured = {name: value for name, value in asdict(verdict).items() if name != "name"}
    write("soak", f"{seconds / 60:g} min, {rate:g} orders/s", complaints=len(watch.complaints()), **seen, **figured)
    figures = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in seen.items())
    sys.stdout.write(f"{verdict.line()}\n{seconds:g} s at {rate:g} orders/s: {figures}\n")
    for complaint in watch.complaints():
        sys.stdout.write(f"{complaint}\n")
    return 1 if watch.complaints() or not verdict.holds else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
