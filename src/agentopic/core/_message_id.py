"""Ids of messages: drawn once per message on the hot path."""

from __future__ import annotations

import os

from agentopic.core._turn import current_turn, step_path


def new_message_id() -> str:
    """A new id in UUID form: from the turn inside a durable turn, so that a later attempt draws the same."""
    turn = current_turn.get()
    if turn is not None:
        # Apart from what agents mint: a later attempt, given a recorded answer in one piece, tells fewer messages.
        with step_path("message"):
            return turn.new_id()
    text = os.urandom(16).hex()  # a third of the cost of uuid4()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
