"""Message serializers: how a payload class becomes bytes and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from functools import cached_property
from typing import Any, Final, Generic, Protocol, TypeVar, cast, runtime_checkable

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError

from agentopic.core._payload import is_protobuf_class, payload_type_name
from agentopic.errors import PayloadError

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)

JSON_DATA_CONTENT_TYPE: Final = "application/json"
PROTOBUF_DATA_CONTENT_TYPE: Final = "application/x-protobuf"
"""Bytes of a `google.protobuf.Any` that wraps the message."""

_SHOWN_PROBLEMS: Final = 5


@runtime_checkable
class MessageSerializer(Protocol[T]):
    """Turns payloads of one type name and content type into bytes and back."""

    @property
    def data_content_type(self) -> str:
        """The content type of the bytes."""
        ...

    @property
    def type_name(self) -> str:
        """The wire name of the payload."""
        ...

    def deserialize(self, payload: bytes) -> T:
        """Read one payload.

        Raises:
            PayloadError: the bytes are not what the type declares.
        """
        ...

    def serialize(self, message: T) -> bytes:
        """Write one payload.

        Raises:
            PayloadError: the message cannot be expressed in this content type.
        """
        ...


@dataclass
class UnknownPayload:
    """Stands for a payload whose type no serializer is known for."""

    type_name: str
    data_content_type: str
    payload: bytes


class ClassSerializer(MessageSerializer[T], Generic[T]):
    """Base of the serializers made for one class; the registry takes the wire name from that class."""

    def __init__(self, cls: type[T]) -> None:
        self.payload_class = cls
        self._type_name = payload_type_name(cls)

    @property
    def data_content_type(self) -> str:
        """JSON, unless a subclass says otherwise."""
        return JSON_DATA_CONTENT_TYPE

    @property
    def type_name(self) -> str:
        """The declared name, the protobuf full name or the bare class name."""
        return self._type_name


class PydanticJsonMessageSerializer(ClassSerializer[ModelT]):
    """Pydantic models as JSON, validated on the way in."""

    def deserialize(self, payload: bytes) -> ModelT:
        """Read and validate one model."""
        try:
            return self.payload_class.model_validate_json(payload)
        except ValidationError as error:
            raise invalid_payload(self._type_name, error) from error

    def serialize(self, message: ModelT) -> bytes:
        """Write one model."""
        try:
            return message.model_dump_json().encode()
        except PydanticSerializationError as error:
            raise PayloadError(f"{self._type_name} cannot be written as JSON: {error}") from error


class AdaptedJsonMessageSerializer(ClassSerializer[T]):
    """Any class that pydantic has a schema for, as JSON, validated on the way in.

    The schema is made at the first use, so that a class which only travels inside one process needs none.
    """

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.payload_class)

    def deserialize(self, payload: bytes) -> T:
        """Read and validate one value."""
        try:
            return self._adapter.validator.validate_json(payload)
        except ValidationError as error:
            raise invalid_payload(self._type_name, error) from error
        except PydanticUserError as error:
            raise PayloadError(f"{self._type_name} has no JSON form: {error.message}") from error

    def serialize(self, message: T) -> bytes:
        """Write one value."""
        try:
            return self._adapter.serializer.to_json(message, warnings=False)
        except PydanticSerializationError as error:
            raise PayloadError(f"{self._type_name} cannot be written as JSON: {error}") from error
        except PydanticUserError as error:
            raise PayloadError(f"{self._type_name} has no JSON form: {error.message}") from error


class DataclassJsonMessageSerializer(AdaptedJsonMessageSerializer[T]):
    """Dataclasses as JSON; nested dataclasses, models and unions included."""


class ProtobufMessageSerializer(ClassSerializer[T]):
    """Protobuf messages, wrapped in a `google.protobuf.Any`."""

    @property
    def data_content_type(self) -> str:
        """The protobuf content type."""
        return PROTOBUF_DATA_CONTENT_TYPE

    def deserialize(self, payload: bytes) -> T:
        """Unwrap one message."""
        from google.protobuf.any_pb2 import Any as AnyMessage
        from google.protobuf.message import DecodeError, Message

        message = cast("type[Message]", self.payload_class)()
        try:
            matches = AnyMessage.FromString(payload).Unpack(message)
        except DecodeError as error:
            raise PayloadError(f"{self._type_name}: not a serialized google.protobuf.Any") from error
        if not matches:
            raise PayloadError(f"{self._type_name}: the bytes hold another protobuf type")
        return cast("T", message)

    def serialize(self, message: T) -> bytes:
        """Wrap one message."""
        from google.protobuf.any_pb2 import Any as AnyMessage
        from google.protobuf.message import EncodeError, Message

        wrapper = AnyMessage()
        try:
            wrapper.Pack(cast("Message", message))
        except EncodeError as error:
            raise PayloadError(f"{self._type_name} cannot be written as protobuf: {error}") from error
        return wrapper.SerializeToString()


_KNOWN_KINDS: Final[tuple[tuple[Callable[[type[Any]], bool], type[ClassSerializer[Any]]], ...]] = (
    (lambda cls: issubclass(cls, BaseModel), PydanticJsonMessageSerializer),
    (is_dataclass, DataclassJsonMessageSerializer),
    (is_protobuf_class, ProtobufMessageSerializer),
)


def try_get_known_serializers_for_type(cls: type[Any]) -> list[MessageSerializer[Any]]:
    """Serializers for a pydantic model, a dataclass or a protobuf message; none for anything else."""
    return [serializer(cls) for is_kind, serializer in _KNOWN_KINDS if is_kind(cls)]


def invalid_payload(type_name: str, error: ValidationError) -> PayloadError:
    """The error for a payload that does not fit its class: names the places, never shows the values."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    shown = [f"{'.'.join(map(str, p['loc'])) or 'payload'}: {p['msg']}" for p in problems[:_SHOWN_PROBLEMS]]
    more = f" (and {len(problems) - _SHOWN_PROBLEMS} more)" if len(problems) > _SHOWN_PROBLEMS else ""
    return PayloadError(f"{type_name} does not fit its class: {'; '.join(shown)}{more}")
