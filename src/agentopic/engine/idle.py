"""Idle: every record up to the ends that were read is stored, every delivery finished, every row sent."""

from __future__ import annotations

import asyncio

from agentopic.engine.host import Host
from agentopic.engine.incarnation import Incarnation
from agentopic.ports.transport import TopicPartition

LOOK_SECONDS = 0.05


async def until_idle(host: Host) -> None:
    """Wait until nothing is left to do for the agent types of this process, here or in another one.

    What a finished turn published to these agent types counts too: the ends are read anew until two looks in a
    row find nothing and the same ends.
    """
    before: dict[TopicPartition, int] | None = None
    while True:
        life = host.incarnation
        if life is not None and not life.over.done():
            ends = await _ends(life)
            if await _is_idle(life, ends) and ends == before:
                return
            before = ends
        await asyncio.sleep(LOOK_SECONDS)


async def _ends(life: Incarnation) -> dict[TopicPartition, int]:
    plan = life.plan
    topics = await plan.catalog.refresh()
    every = {
        TopicPartition(topic, index)
        for group in plan.groups
        for topic in group.router.readable(topics)
        for index in range(topics[topic])
    }
    return {partition: held.end for partition, held in (await plan.mesh.admin.offsets(every)).items()}


async def _is_idle(life: Incarnation, ends: dict[TopicPartition, int]) -> bool:
    if len(life.outbox) or any(reader.unread(ends) for reader in life.readers):
        return False
    groups = [group.group for group in life.plan.groups]
    backlog = await life.writer.read(lambda: life.plan.journal.backlog(groups))
    return all(each.deliveries == 0 and each.unsent == 0 for each in backlog.values())
