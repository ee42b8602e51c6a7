"""Trial: what class of agents a plain factory makes, found by making one."""

from __future__ import annotations

import asyncio

from agentopic.core import Agent, AgentId
from agentopic.core._kernel import Kernel
from agentopic.telemetry.loggers import get_logger

log = get_logger(__name__)


async def made_class(kernel: Kernel, agent_type: str) -> type[Agent] | None:
    """Return the class of what the factory of a type makes; None when it cannot make one yet.

    The agent that is made has the key `default` and is closed at once. How agents of a type are hosted (closures live
    with their process, and so does what keeps no state) must be known before the first message is stored for one.
    """
    (made,) = await asyncio.gather(kernel.instantiate(AgentId(agent_type, "default")), return_exceptions=True)
    if isinstance(made, BaseException):
        log.info("a factory makes no agent yet; its type is hosted as a service", agent_type=agent_type, why=repr(made))
        return None
    await made.close()
    return type(made)
