"""Idle: every record up to the ends that were read is stored, every delivery finished, every row sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from agentopic.engine.host import Host
from agentopic.engine.incarnation import Incarnation
from agentopic.engine.process_lived.residence import Residence
from agentopic.envelope.kafka_topics import control
from agentopic.errors import ProcessBuriedError
from agentopic.ports.admin import OffsetRange
from agentopic.ports.transport import TopicPartition

LOOK_SECONDS = 0.05

Reaches = Sequence[Mapping[TopicPartition, OffsetRange]]
"""What the partitions hold that are read, for each reader of them."""


async def until_idle(host: Host | None, residence: Residence) -> None:
    """Wait until nothing is left to do for the agent types of this process, here or in another one.

    What a finished turn published to these agent types counts too: the ends are read anew until two looks in a
    row find nothing and the same ends. Handlers of process-lived agents count as well; without a host they are all
    there is. Raises what ended the host, if it ends meanwhile.
    """
    before: Reaches | None = None
    while host is None or not host.has_ended:
        quiet = await _quiet(host, residence)
        if quiet is not None and quiet == before:
            return
        before = quiet
        await asyncio.sleep(LOOK_SECONDS)
    await host.wait()


async def _quiet(host: Host | None, residence: Residence) -> Reaches | None:
    """Return what there is to be read, when all of it is handled; None while something is left to do."""
    held = await residence.reaches()
    if not residence.is_idle(held):
        return None
    if host is None:
        return [held]
    life = host.incarnation
    if life is None or life.over.done():
        return None
    with suppress(ProcessBuriedError):  # the next incarnation goes on, and is looked at next
        reaches = await _reaches(life)
        if await _is_idle(life, reaches):
            return [held, *reaches]
    return None


async def until_stored(host: Host) -> None:
    """Wait until every record of these agent types, commands too, is stored, and this process owes nobody a record.

    What is stored need not have been run. Raises what ended the host, if it ends meanwhile.
    """
    before: Reaches | None = None
    while not host.has_ended:
        life = host.incarnation
        if life is not None and not life.over.done():
            with suppress(ProcessBuriedError):  # the next incarnation goes on, and is looked at next
                reaches = await _reaches(life)
                if await _is_stored(life, reaches) and reaches == before:
                    return
                before = reaches
        await asyncio.sleep(LOOK_SECONDS)
    await host.wait()


async def _reaches(life: Incarnation) -> Reaches:
    plan = life.plan
    topics = await plan.catalog.refresh()
    return [
        await plan.mesh.admin.offsets(
            TopicPartition(topic, index) for topic in group.router.readable(topics) for index in range(topics[topic])
        )
        for group in plan.groups
    ]


async def _is_stored(life: Incarnation, reaches: Reaches) -> bool:
    if not await _is_read(life, reaches):
        return False
    plan = life.plan
    topics = await plan.catalog.refresh()
    for group, reader in zip(plan.groups, life.controls, strict=True):
        topic = control(plan.options.namespace, group.agent_type)
        held = await plan.mesh.admin.offsets(TopicPartition(topic, index) for index in range(topics.get(topic, 0)))
        if await reader.unread(held):
            return False
    return True


async def _is_read(life: Incarnation, reaches: Reaches) -> bool:
    if len(life.outbox):
        return False
    for reader, held in zip(life.readers, reaches, strict=True):
        if await reader.unread(held):
            return False
    return True


async def _is_idle(life: Incarnation, reaches: Reaches) -> bool:
    if not await _is_read(life, reaches):
        return False
    groups = [group.group for group in life.plan.groups]
    backlog = await life.writer.read(lambda: life.plan.journal.backlog(groups))
    return all(each.deliveries == 0 and each.unsent == 0 for each in backlog.values())
