"""Links: the parts of a process that outlive its incarnations and that each of them works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentopic.engine.listener import Listener
from agentopic.engine.mail import Waker
from agentopic.engine.process_lived.members import Members
from agentopic.envelope import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """How an incarnation is reached and reaches others."""

    listener: Listener
    """Its address is where this process is woken."""
    waker: Waker
    members: Members
    """The agents that live with this process."""
    heard: Callable[[Envelope], None]
    """Given the answers that came over a control topic: somebody here may wait for one."""
