"""`KeptThinking`: the signed thinking that led to tool calls, until their results are asked about."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from agentopic.core import FunctionCall

_MOST = 1024


class KeptThinking:
    """Thinking blocks as they came, by the first tool call after them.

    Messages have no place for signatures, so they live in the client alone: after a restart the API is shown the
    thought as text, and thinks anew.
    """

    def __init__(self) -> None:
        self._blocks: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()

    def keep(self, calls: Sequence[FunctionCall], blocks: list[dict[str, Any]]) -> None:
        """Keep what came before these calls; the oldest are forgotten beyond a thousand."""
        if not calls or not any(block["type"] != "text" for block in blocks):
            return
        self._blocks[calls[0].id] = blocks
        while len(self._blocks) > _MOST:
            self._blocks.popitem(last=False)

    def before(self, calls: Sequence[FunctionCall]) -> list[dict[str, Any]]:
        """What came before these calls; empty when it is not known."""
        return self._blocks.get(calls[0].id, []) if calls else []
