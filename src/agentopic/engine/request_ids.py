"""Request ids of turns: which step of which turn waits for the answer, readable by whoever gets it."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from agentopic.engine.delivery import Delivery, identity, lane_id
from agentopic.envelope.kafka_topics import consumer_group

_PART = 16
_TEXT_LENGTH = 64


class AskingStep(NamedTuple):
    """A step of kind `request`, as the journal names it."""

    lane: bytes
    turn: bytes
    key: bytes


def step_of(namespace: str, delivery: Delivery, key: bytes) -> AskingStep:
    """Return a step of the turn that handles a delivery, by its key."""
    agent = delivery.agent
    return AskingStep(
        lane_id(consumer_group(namespace, agent.type), agent.key), identity(agent, delivery.envelope), key
    )


def request_id(step: AskingStep) -> str:
    """Return the id under which a step asks: 64 characters, the same on every attempt of its turn."""
    return urlsafe_b64encode(b"".join(step)).decode()


def asking_step(text: str) -> AskingStep | None:
    """Return the step that asks under an id; None for an id that no step has."""
    if len(text) != _TEXT_LENGTH:
        return None
    try:
        raw = urlsafe_b64decode(text.encode())
    except (binascii.Error, UnicodeEncodeError):
        return None
    if len(raw) != 3 * _PART or urlsafe_b64encode(raw).decode() != text:
        return None
    return AskingStep(raw[:_PART], raw[_PART : 2 * _PART], raw[2 * _PART :])
