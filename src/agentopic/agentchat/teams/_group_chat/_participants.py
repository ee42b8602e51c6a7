"""The participants of a team: their names, their classes of messages, and their component JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from agentopic.agentchat.base import ChatAgent, Team
from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory, StructuredMessage
from agentopic.core import ComponentLoader, ComponentModel
from agentopic.errors import ComponentError


def names_of(participants: Sequence[ChatAgent | Team]) -> list[str]:
    """Their names.

    Raises:
        ValueError: there is no participant, or two have one name.
        TypeError: one is neither an agent nor a team.
    """
    if not participants:
        raise ValueError("At least one participant is required.")
    for participant in participants:
        if not isinstance(participant, ChatAgent | Team):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
            raise TypeError(f"Participant {participant!r} must be a ChatAgent or a Team.")
    names = [participant.name for participant in participants]
    if len(set(names)) != len(names):
        raise ValueError("The participant names must be unique.")
    return names


def require_agents(participants: Sequence[ChatAgent | Team]) -> None:
    """Refuse teams as participants by a TypeError."""
    for participant in participants:
        if not isinstance(participant, ChatAgent):
            raise TypeError(f"Participant {participant} must be a ChatAgent.")


def message_factory_of(
    participants: Sequence[ChatAgent | Team], custom: Sequence[type[BaseAgentEvent | BaseChatMessage]] | None
) -> MessageFactory:
    """Knows the built-in classes, the custom ones, and the structured messages that agents produce.

    Raises:
        ValueError: a custom class is known already, or is no class of messages.
    """
    factory = MessageFactory()
    for message_type in custom or ():
        factory.register(message_type)
    for participant in participants:
        produced = participant.produced_message_types if isinstance(participant, ChatAgent) else ()
        for message_type in produced:
            is_structured = issubclass(message_type, cast("type[BaseChatMessage]", StructuredMessage))
            if is_structured and not factory.is_registered(message_type):
                factory.register(message_type)
    return factory


def load_participant(model: ComponentModel) -> ChatAgent | Team:
    """The agent or team that component JSON describes; ComponentError when it is neither."""
    made = ComponentLoader.load_component(model, object)
    if not isinstance(made, ChatAgent | Team):
        raise ComponentError(f"{model.provider} is neither an agent nor a team")
    return made


def load_agent(model: ComponentModel) -> ChatAgent:
    """The agent that component JSON describes; ComponentError when it is none."""
    return ChatAgent.load_component(model)
