"""`agentopic dev` without a mesh: one process, events from stdin, what agents publish on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from agentopic.cli.output import compact, emit_line, note
from agentopic.cli.stdin import stdin_lines
from agentopic.core import (
    JSON_DATA_CONTENT_TYPE,
    DefaultInterventionHandler,
    MessageContext,
    SingleThreadedAgentRuntime,
    TopicId,
    UnknownPayload,
)
from agentopic.errors import AgentopicError, PayloadError

if TYPE_CHECKING:
    from agentopic.engine.service import AgentService


class LocalMesh(SingleThreadedAgentRuntime):
    """The in-process runtime with a door: lines in are published, what agents publish are lines out."""

    def __init__(self) -> None:
        super().__init__(intervention_handlers=[_Printer(self)])

    async def run(self, services: Iterable[AgentService]) -> None:
        """Host the services, publish every line of stdin, and return once all is handled after its end."""
        for service in services:
            await service.register(self)
        self.start()
        async with stdin_lines() as lines:
            while line := await lines.readline():
                if line.strip():
                    await self._take(line)
        await self.stop_when_idle()

    async def _take(self, line: bytes) -> None:
        try:
            message, topic = self._read(line)
            await self.publish_message(message, topic)
        except AgentopicError as exc:
            # A line that is wrong ends nothing: the next one may be right.
            note(f"agentopic: {' '.join(str(exc).split())}")

    def _read(self, line: bytes) -> tuple[Any, TopicId]:
        try:
            event = json.loads(line)
            topic = TopicId(event["topic"], event.get("subject") or "default")
            type_name, data = event["type"], json.dumps(event.get("data")).encode()
        except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as exc:
            raise PayloadError(f"a line needs JSON with topic, type and data: {exc!r}") from exc
        message = self._kernel.serializers.deserialize(
            data, type_name=type_name, data_content_type=JSON_DATA_CONTENT_TYPE
        )
        if isinstance(message, UnknownPayload):
            raise PayloadError(f"no agent here knows the payload type {type_name!r}")
        return message, topic

    def line_of(self, message: Any, topic: TopicId, sender: object) -> str:
        """Return a published message in the form that lines come in."""
        type_name, content_type, data = self._kernel.serializers.encode(message)
        text = data.decode(errors="replace")
        value = json.loads(text) if content_type == JSON_DATA_CONTENT_TYPE else text
        return compact(
            {"topic": topic.type, "subject": topic.source, "type": type_name, "from": str(sender), "data": value}
        )


class _Printer(DefaultInterventionHandler):
    def __init__(self, mesh: LocalMesh) -> None:
        self._mesh = mesh

    async def on_publish(self, message: Any, *, message_context: MessageContext) -> Any:
        """Print what an agent publishes; what came in as a line has no sender."""
        topic, sender = message_context.topic_id, message_context.sender
        if topic is not None and sender is not None:
            emit_line(self._mesh.line_of(message, topic, sender))
        return message
