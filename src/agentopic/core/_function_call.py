"""`FunctionCall`: a model's wish to have one tool called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FunctionCall:
    """One tool call as the model asked for it; `arguments` is JSON text and may be malformed."""

    id: str
    arguments: str
    name: str
