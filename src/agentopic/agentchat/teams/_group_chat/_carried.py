"""`Carried`: a chat message or event inside a payload; an object in process, JSON once it has been bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Self, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory

_SCHEMA: Final[JsonSchemaValue] = {
    "type": "object",
    "properties": {"type": {"type": "string"}},
    "required": ["type"],
}


class Carried:
    """Holds one message; which class it is of is left to the receiver's MessageFactory."""

    __slots__ = ("_value",)

    def __init__(self, value: BaseAgentEvent | BaseChatMessage | Mapping[str, Any]) -> None:
        self._value = value

    def message(self, factory: MessageFactory) -> BaseAgentEvent | BaseChatMessage:
        """The message itself; built by `factory` where it has come as JSON.

        Raises:
            ValueError: `factory` does not know its type, or it does not fit (pydantic.ValidationError).
        """
        return factory.create(self._value) if isinstance(self._value, Mapping) else self._value

    def dump(self) -> Mapping[str, Any]:
        """The message as JSON."""
        return self._value if isinstance(self._value, Mapping) else self._value.dump()

    @classmethod
    def _load(cls, value: Any) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping) or not isinstance(cast("Mapping[Any, Any]", value).get("type"), str):
            raise ValueError("a message is an object that names its type")  # noqa: TRY004 - pydantic takes ValueErrors
        return cls(cast("Mapping[str, Any]", value))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._load, serialization=core_schema.plain_serializer_function_ser_schema(cls.dump)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(_SCHEMA)


def carried(messages: Iterable[BaseAgentEvent | BaseChatMessage]) -> list[Carried]:
    """Messages, ready for a payload."""
    return [Carried(message) for message in messages]
