"""`SerializationRegistry`: which serializer writes and reads which payload."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from agentopic.core._payload import declared_payload_type, is_protobuf_class, payload_type_name
from agentopic.core._serialization import (
    JSON_DATA_CONTENT_TYPE,
    PROTOBUF_DATA_CONTENT_TYPE,
    AdaptedJsonMessageSerializer,
    ClassSerializer,
    MessageSerializer,
    UnknownPayload,
    try_get_known_serializers_for_type,
)
from agentopic.errors import DuplicatePayloadTypeError, PayloadError

_JSON_BUILTINS: Final[tuple[type[Any], ...]] = (type(None), bool, int, float, str, list, dict)


class SerializationRegistry:
    """Serializers by type name and content type, and type names by class.

    With a `namespace`, a class without a declared name is called `<namespace>.<ClassName>`, and two classes
    of one name are refused. Without one, AutoGen's rule holds for such classes: the bare name, the last class
    wins. The JSON builtins (None, bool, int, float, str, list, dict) are always known, as answers of handlers.
    """

    def __init__(self, namespace: str | None = None) -> None:
        self._namespace = namespace
        self._serializers: dict[tuple[str, str], MessageSerializer[Any]] = {}
        self._names: dict[type[Any], str] = {}
        self._classes: dict[str, type[Any]] = {}
        self._writers: dict[type[Any], tuple[str, str, MessageSerializer[Any]]] = {}
        """How messages of a class are written, once one has been."""
        for cls in _JSON_BUILTINS:
            self._add(AdaptedJsonMessageSerializer(cls))

    def add_serializer(self, serializer: MessageSerializer[Any] | Sequence[MessageSerializer[Any]]) -> None:
        """Add one serializer or several; of two for one name and content type the later is used.

        Raises:
            DuplicatePayloadTypeError: another class has this declared (or namespaced) name already.
        """
        several: Iterable[MessageSerializer[Any]] = serializer if isinstance(serializer, Sequence) else (serializer,)
        for one in several:
            self._add(one)

    def add_class(self, cls: type[Any]) -> bool:
        """Make a payload class known by the serializers that fit it; False when none does.

        Raises:
            DuplicatePayloadTypeError: another class has this declared (or namespaced) name already.
        """
        if cls not in self._names:
            self.add_serializer(try_get_known_serializers_for_type(cls))
        return cls in self._names

    def is_registered(self, type_name: str, data_content_type: str) -> bool:
        """Whether this pair can be read and written."""
        return (type_name, data_content_type) in self._serializers

    def payload_class(self, type_name: str) -> type[Any] | None:
        """The class of a type name, when it is known."""
        return self._classes.get(type_name)

    def type_name(self, message: Any) -> str:
        """The wire name of a message, or of a class that is passed itself."""
        cls: type[Any] = message if isinstance(message, type) else type(message)
        known = self._names.get(cls)
        if known is not None:
            return known
        bare = payload_type_name(cls)
        # a serializer written by hand names the bare class
        written_by_hand = bare not in self._classes and self.content_type(bare) is not None
        return bare if written_by_hand else payload_type_name(cls, self._namespace)

    def content_type(self, type_name: str) -> str | None:
        """The content type a type name is written in (JSON if both are known), or None when unknown."""
        for content_type in (JSON_DATA_CONTENT_TYPE, PROTOBUF_DATA_CONTENT_TYPE):
            if (type_name, content_type) in self._serializers:
                return content_type
        return next((content for name, content in self._serializers if name == type_name), None)

    def serialize(self, message: Any, *, type_name: str, data_content_type: str) -> bytes:
        """Write a message.

        Raises:
            PayloadError: no serializer is known for the pair, or the message cannot be written.
        """
        serializer = self._serializers.get((type_name, data_content_type))
        if serializer is None:
            raise PayloadError(f"no serializer is known for {type_name!r} as {data_content_type}")
        return serializer.serialize(message)

    def deserialize(self, payload: bytes, *, type_name: str, data_content_type: str) -> Any:
        """Read a payload; an `UnknownPayload` when no serializer is known for the pair.

        Raises:
            PayloadError: the bytes are not what the type declares.
        """
        serializer = self._serializers.get((type_name, data_content_type))
        if serializer is None:
            return UnknownPayload(type_name, data_content_type, payload)
        return serializer.deserialize(payload)

    def encode(self, message: Any) -> tuple[str, str, bytes]:
        """Type name, content type and bytes of a message; its class is made known on the way.

        Raises:
            PayloadError: the class is no model, dataclass or protobuf message, or cannot be written.
            DuplicatePayloadTypeError: another class has its name already.
        """
        kind = cast("type[Any]", type(message))
        writer = self._writers.get(kind)
        if writer is None:
            if isinstance(message, UnknownPayload):
                return message.type_name, message.data_content_type, message.payload
            writer = self._writer(message, kind)
        type_name, content_type, serializer = writer
        return type_name, content_type, serializer.serialize(message)

    def _writer(self, message: Any, kind: type[Any]) -> tuple[str, str, MessageSerializer[Any]]:
        type_name = self.type_name(message)
        content_type = self.content_type(type_name)
        if content_type is None and self.add_class(kind):
            content_type = self.content_type(type_name)
        if content_type is None:
            raise PayloadError(
                f"{kind.__qualname__} is no pydantic model, dataclass or protobuf message: "
                "make it one, or add a serializer for it"
            )
        writer = type_name, content_type, self._serializers[type_name, content_type]
        if not isinstance(message, type):
            self._writers[kind] = writer
        return writer

    def _add(self, serializer: MessageSerializer[Any]) -> None:
        self._writers.clear()
        if not isinstance(serializer, ClassSerializer):
            self._serializers[serializer.type_name, serializer.data_content_type] = serializer
            return
        cls: type[Any] = serializer.payload_class
        name = payload_type_name(cls, self._namespace)
        known = self._classes.get(name)
        if known is not None and self._clash(known, cls):
            raise DuplicatePayloadTypeError(
                f"payload type {name!r} is claimed by {_full_name(known)} and by {_full_name(cls)}: "
                "declare another name with @payload(...)"
            )
        self._classes[name] = cls
        self._names[cls] = name
        self._serializers[name, serializer.data_content_type] = serializer

    def _clash(self, known: type[Any], cls: type[Any]) -> bool:
        # the same place of definition is the same class defined anew (a reloaded module, a notebook cell)
        if known is cls or _full_name(known) == _full_name(cls):
            return False
        bare = declared_payload_type(known) is None and declared_payload_type(cls) is None
        return self._namespace is not None or not bare or is_protobuf_class(cls)


def _full_name(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
