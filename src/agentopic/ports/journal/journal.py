"""The journal port: the durable queue at the agent's door and the memory behind it."""

from __future__ import annotations

from typing import Protocol

from agentopic.ports.journal.control import Control
from agentopic.ports.journal.lanes import Lanes
from agentopic.ports.journal.membership import Membership
from agentopic.ports.journal.portable import Portable
from agentopic.ports.journal.references import References
from agentopic.ports.journal.requests import Requests
from agentopic.ports.journal.spending import Spending
from agentopic.ports.journal.states import States
from agentopic.ports.journal.steps import Steps


class Journal(Membership, Lanes, Steps, States, Control, Requests, Spending, References, Portable, Protocol):
    """Everything the engine keeps in one store, each call one transaction.

    The engine makes all calls (the heart's excepted) from one writer task and never cancels one; an adapter
    must survive a cancelled call all the same: it completes or leaves no trace. Payloads, results and states are
    opaque bytes of any length and content. Text is free of NUL and lone surrogates or refused with
    `ValueRefusedError`.
    """

    async def start(self) -> None:
        """Connect and bring the schema to this version.

        Raises:
            UnreachableError: the store does not answer within the start-up time.
            ConfigError: the stored schema is newer than this program.
        """
        ...

    async def sweep(self, dedup_seconds: float) -> None:
        """Forget what is older than the horizon, in small portions, and nothing that an unfinished delivery needs.

        Identities, answers, requests, spending of runs, cancelled runs (after a day), steps of dead letters, events
        that a snapshot has made superfluous, dead processes and their mail.
        """
        ...

    async def aclose(self) -> None:
        """Disconnect; idempotent. Says nothing about membership: that is `leave`."""
        ...
