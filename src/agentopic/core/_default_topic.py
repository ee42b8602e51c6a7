"""`DefaultTopicId`: the topic one gets when naming none."""

from __future__ import annotations

from agentopic.core._message_handler_context import handling_agent
from agentopic.core._topic import TopicId


class DefaultTopicId(TopicId):
    """Topic type `default`, and as source the key of the agent whose handler is running, else `default`."""

    def __init__(self, type: str = "default", source: str | None = None) -> None:  # noqa: A002 - AutoGen's parameter
        if source is None:
            agent_id = handling_agent.get(None)
            source = "default" if agent_id is None else agent_id.key
        super().__init__(type, source)
