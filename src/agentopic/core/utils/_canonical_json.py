"""Canonical JSON: equal inputs give equal bytes in every process, so that their fingerprints can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import FunctionType
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces.

    What JSON cannot say is replaced by something that does not change between processes: classes and functions
    by their qualified name, sets by sorted lists, bytes by their hash, other objects by their class's name.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, AbstractSet):
        return sorted((_plain(item) for item in cast("AbstractSet[Any]", value)), key=json.dumps)
    if isinstance(value, bytes | bytearray):
        return {"sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in cast("Sequence[Any]", value)]
    return _object(value)


def _object(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, BaseModel):
        return value.model_json_schema()
    return _other(cast("object", value))


def _other(value: object) -> Any:
    if isinstance(value, type | FunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        return f"{type(value).__module__}.{type(value).__qualname__}"
