"""A caller outside of the services: requests, each noted from its asking to its end."""

from __future__ import annotations

import asyncio

from agentopic import DurableRuntime
from agentopic.core import AgentId, try_get_known_serializers_for_type
from agentopic.errors import AgentopicError

from .ledger_agent import Receipt
from .shop_mesh import Mesh


async def ask_all(mesh: Mesh, journal: str, numbers: range) -> None:
    """Ask for the price of each order, all at once; raises when one gets no answer."""
    client = DurableRuntime(f"kafka://{mesh.kafka}", journal, namespace=mesh.fleet.namespace)
    client.add_message_serializer(try_get_known_serializers_for_type(Receipt))
    await client.start()
    try:
        await asyncio.gather(*(_ask(mesh, client, number) for number in numbers))
    finally:
        await client.stop()


async def _ask(mesh: Mesh, client: DurableRuntime, number: int) -> None:
    history, name = mesh.fleet.history, f"ask-{number}"
    history.note("request", "invoke", name)
    try:
        question = Receipt(number=number, paid="", turns=0)
        answer = await client.send_message(question, AgentId("cashier", f"c{number}"), message_id=name)
    except AgentopicError as exc:
        history.note("request", "fail", name, error=repr(exc))
        raise
    assert answer.turns == number * 2
    history.note("request", "ok", name)
