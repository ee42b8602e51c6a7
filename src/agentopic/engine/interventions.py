"""Intervention handlers of a durable runtime: they are shown what agents and applications publish, send and answer."""

from __future__ import annotations

from typing import Any

from agentopic.core import AgentId, CancellationToken, DropMessage, MessageContext, TopicId
from agentopic.core._kernel import Kernel
from agentopic.core._message_log import MessageLog
from agentopic.core._turn import current_turn, mint_id
from agentopic.core.logging import MessageKind
from agentopic.engine.turn import Turn
from agentopic.errors import MessageDroppedError


class Interventions:
    """Asks the handlers at the sender: `on_publish` and `on_send` in its turn, `on_response` in that of who asked.

    They run again with every attempt of that turn, and what they raise is raised at the sender: a turn whose publish
    was refused fails and is tried again. Falsy when there are no handlers.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._chain = kernel.interventions
        self._log = MessageLog(kernel.serializers)

    def __bool__(self) -> bool:
        return bool(self._chain)

    async def published(
        self,
        message: Any,
        topic_id: TopicId,
        *,
        sender: AgentId | None,
        token: CancellationToken | None,
        message_id: str | None,
        now: bool,
    ) -> tuple[Any, str | None] | None:
        """Return what to publish in place of a message, with its id; None when they drop it, which settles it.

        What leaves a turn `now` and was given no id has none yet: its step derives one.
        """
        sender, named = _sender(sender), message_id or mint_id()
        ctx = MessageContext(sender, topic_id, False, token or CancellationToken(), named)
        shown = await self._chain.on_publish(message, message_context=ctx)
        if shown is not DropMessage:
            # The id minted above depends on the order of branches side by side: on a later attempt the step that
            # has it would be another one, and what has left would leave again.
            is_step = now and isinstance(current_turn.get(), Turn)
            return shown, message_id if is_step else named
        self._log.dropped(message, sender, topic_id, MessageKind.PUBLISH)
        return None

    async def sent(
        self,
        message: Any,
        recipient: AgentId,
        *,
        sender: AgentId | None,
        token: CancellationToken | None,
        message_id: str | None,
    ) -> tuple[Any, str]:
        """Return what to send in place of a message, with its id.

        Raises:
            MessageDroppedError: they drop it.
        """
        sender, named = _sender(sender), message_id or mint_id()
        ctx = MessageContext(sender, None, True, token or CancellationToken(), named)
        shown = await self._chain.on_send(message, message_context=ctx, recipient=recipient)
        if shown is DropMessage:
            self._log.dropped(message, sender, recipient, MessageKind.DIRECT)
            raise MessageDroppedError(f"the message to {recipient} was dropped")
        return shown, named

    async def answered(self, answer: Any, recipient: AgentId, *, sender: AgentId | None) -> Any:
        """Return what the caller is given in place of the answer of `recipient`.

        Raises:
            MessageDroppedError: they drop it.
        """
        sender = _sender(sender)
        heard = await self._chain.on_response(answer, sender=recipient, recipient=sender)
        if heard is DropMessage:
            self._log.dropped(answer, recipient, sender, MessageKind.RESPOND)
            raise MessageDroppedError(f"the answer of {recipient} was dropped")
        return heard


def _sender(sender: AgentId | None) -> AgentId | None:
    turn = current_turn.get()
    return turn.delivery.agent if sender is None and isinstance(turn, Turn) else sender
