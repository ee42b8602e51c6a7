"""Unpacking a compressed body piece by piece, never further than asked."""

from __future__ import annotations

import zlib
from typing import Any

from agentopic.errors import ToolAnswerError

ACCEPTED_CODINGS = "gzip, deflate"


class Unpacker:
    """Undoes one content coding; `feed` gives at most the room it is given, so that a bomb stays packed."""

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower()
        if self._coding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise ToolAnswerError(f"the answer is packed as {coding!r}, which was not asked for")
        self._inflater: Any = None

    def feed(self, piece: bytes, room: int) -> bytes:
        """Up to `room` bytes that `piece` unpacks to; what exceeds the room is lost.

        Raises:
            ToolAnswerError: the body is not packed as it says.
        """
        if self._coding in {"", "identity"}:
            return piece[:room]
        unpacked = bytearray()
        while piece and len(unpacked) < room:
            if self._inflater is None:
                self._inflater = zlib.decompressobj(self._window(piece))
            try:
                unpacked += self._inflater.decompress(piece, room - len(unpacked))
            except zlib.error as exc:
                raise ToolAnswerError(f"the answer is not packed as {self._coding}: {exc}") from exc
            piece = self._inflater.unused_data
            if self._inflater.eof:
                self._inflater = None
        return bytes(unpacked)

    def _window(self, piece: bytes) -> int:
        if self._coding != "deflate":
            return zlib.MAX_WBITS | 16
        return zlib.MAX_WBITS if piece[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS
