"""`TopicId`: the address that messages are published to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from agentopic.errors import InvalidNameError

_TOPIC_TYPE: Final = re.compile(r"[\w\-\.\:\=]+\Z")


@dataclass(frozen=True, eq=False)
class TopicId:
    """A topic type and the source (conversation, run or entity) that a message belongs to.

    Equal by value, whichever subclass it was made as. Its text is `type/source`.

    Raises:
        InvalidNameError: the type has characters other than word characters, `-`, `.`, `:` and `=`.
    """

    type: str
    """What kind of message this is about; subscriptions match on it."""

    source: str
    """Becomes the key of the agents that receive the message; any text."""

    def __post_init__(self) -> None:
        if _TOPIC_TYPE.match(self.type) is None:
            raise InvalidNameError(
                f"invalid topic type {self.type!r}: only word characters, '-', '.', ':' and '=' are allowed"
            )

    @classmethod
    def from_str(cls, topic_id: str) -> Self:
        """Read `type/source`, split at the first slash.

        Raises:
            InvalidNameError: there is no slash, or the type is not valid.
        """
        topic_type, slash, source = topic_id.partition("/")
        if not slash:
            raise InvalidNameError(f"invalid topic id {topic_id!r}: expected 'type/source'")
        return cls(topic_type, source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TopicId):
            return NotImplemented
        return self.type == other.type and self.source == other.source

    def __hash__(self) -> int:
        return hash((self.type, self.source))

    def __str__(self) -> str:
        return f"{self.type}/{self.source}"
