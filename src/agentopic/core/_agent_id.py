"""`AgentId`: the address of one agent."""

from __future__ import annotations

import re
from typing import Final, Self

from agentopic.core._agent_type import AgentType
from agentopic.errors import InvalidNameError

_AGENT_TYPE: Final = re.compile(r"[\w\-\.]+\Z")


class AgentId:
    """The address of one agent: its type and its key. Immutable, hashable, equal by value.

    Its text is `type/key`. The key may be any text, empty and with slashes included.

    Raises:
        InvalidNameError: the type has characters other than word characters, dashes and dots.
    """

    __slots__ = ("_hash", "_key", "_type")

    def __init__(self, type: str | AgentType, key: str) -> None:  # noqa: A002 - AutoGen's parameter name
        name = type.type if isinstance(type, AgentType) else type
        if _AGENT_TYPE.match(name) is None:
            raise InvalidNameError(f"invalid agent type {name!r}: only word characters, '-' and '.' are allowed")
        self._type = name
        self._key = key
        self._hash = hash((name, key))

    @classmethod
    def from_str(cls, agent_id: str) -> Self:
        """Read `type/key`, split at the first slash.

        Raises:
            InvalidNameError: there is no slash, or the type is not valid.
        """
        type_name, slash, key = agent_id.partition("/")
        if not slash:
            raise InvalidNameError(f"invalid agent id {agent_id!r}: expected 'type/key'")
        return cls(type_name, key)

    @property
    def type(self) -> str:
        """The agent type."""
        return self._type

    @property
    def key(self) -> str:
        """Which agent of that type; the topic source for agents reached by a subscription."""
        return self._key

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, AgentId):
            return NotImplemented
        return self._key == other._key and self._type == other._type

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return f"{self._type}/{self._key}"

    def __repr__(self) -> str:
        return f'AgentId(type="{self._type}", key="{self._key}")'

    def __reduce__(self) -> tuple[type[AgentId], tuple[str, str]]:
        # a string's hash differs between processes, so the cached one must not travel in a pickle
        return AgentId, (self._type, self._key)
