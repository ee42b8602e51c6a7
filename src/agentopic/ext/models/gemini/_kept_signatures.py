"""`KeptSignatures`: what Gemini signs its tool calls with, until their results are asked about."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_MOST = 1024

NOT_KEPT: Final = b"skip_thought_signature_validator"
"""What the API takes in place of a signature that its caller does not have."""


class KeptSignatures:
    """Signatures by the id of their call.

    Messages have no place for them, so they live in the client alone: after a restart the API is told that there is
    none, and the model thinks anew.
    """

    def __init__(self) -> None:
        self._signatures: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, call_id: str, signature: bytes) -> None:
        """Keep the signature of a call; the oldest are forgotten beyond a thousand."""
        self._signatures[call_id] = signature
        while len(self._signatures) > _MOST:
            self._signatures.popitem(last=False)

    def of(self, call_id: str) -> bytes | None:
        """The signature of a call; None when it is not known."""
        return self._signatures.get(call_id)
