"""`payload`: the name a payload class has on the wire."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from agentopic.errors import InvalidNameError, RegistrationError

C = TypeVar("C", bound=type[Any])

_ATTRIBUTE: Final = "__agentopic_payload_type__"
_TYPE_NAME: Final = re.compile(r"[\w\-.:/]+\Z")


def payload(type_name: str) -> Callable[[C], C]:
    """Declare the wire name of a payload class, for example `@payload("orders.OrderPlaced.v1")`.

    The name is kept on the class itself: a subclass is another payload and has its own name.

    Raises:
        InvalidNameError: the name has other characters than word characters and `-`, `.`, `:`, `/`.
        RegistrationError: the class is a protobuf message, which has a name already.
    """
    if _TYPE_NAME.match(type_name) is None:
        raise InvalidNameError(f"invalid payload type name {type_name!r}: use a name like 'orders.OrderPlaced.v1'")

    def declare(cls: C) -> C:
        if is_protobuf_class(cls):
            raise RegistrationError(f"{cls.__name__} is a protobuf message and keeps its full protobuf name")
        setattr(cls, _ATTRIBUTE, type_name)
        return cls

    return declare


def declared_payload_type(cls: type[Any]) -> str | None:
    """The name declared by `payload` on this very class, or None; names of bases do not count."""
    return cast("str | None", vars(cls).get(_ATTRIBUTE))


def payload_type_name(cls: type[Any], namespace: str | None = None) -> str:
    """The wire name of a class.

    The declared name; else a protobuf message's full name; else the bare class name, behind
    `namespace` and a dot when one is given. Builtins such as None and str have no namespace.
    """
    declared = declared_payload_type(cls)
    if declared is not None:
        return declared
    if is_protobuf_class(cls):
        return cast("str", cls.DESCRIPTOR.full_name)
    if namespace is None or cls.__module__ == "builtins":
        return cls.__name__
    return f"{namespace}.{cls.__name__}"


def is_protobuf_class(cls: type[Any]) -> bool:
    """Whether the class is a protobuf message; does not import protobuf to find out."""
    module = sys.modules.get("google.protobuf.message")
    return module is not None and issubclass(cls, module.Message)
