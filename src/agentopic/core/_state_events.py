"""`fold`, and the state events of an agent class: how they are written, read, up-cast and folded."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from agentopic.core._declared_types import declared_types
from agentopic.core._payload import declared_payload_type
from agentopic.core._serialization import invalid_payload
from agentopic.core._upcast import Upcast
from agentopic.errors import RegistrationError, StateVersionError

FoldT = TypeVar("FoldT", bound=Callable[..., None])

_FOLDS: Final = "__agentopic_folds__"
_SEPARATOR: Final = b"\n"


def fold(method: FoldT) -> FoldT:
    """Make a method of an `EventSourcedAgent` apply the state events its parameter `event` is annotated with.

    It changes `self.state` and nothing else: no I/O, no clock, no chance. It runs once when the event is recorded and
    again whenever the agent is loaded.

    Raises:
        RegistrationError: it is async, or `event` has no annotation.
    """
    setattr(method, _FOLDS, _event_types(method))
    return method


class StateEvents:
    """The state events of one agent class: by their declared names, with the folds and up-casts of the class.

    Raises:
        RegistrationError: an event class has no declared name, or two folds or up-casts claim one event.
    """

    def __init__(self, agent_class: type[Any]) -> None:
        self._owner = agent_class.__name__
        self._folds: dict[type[Any], str] = {}
        self._adapters: dict[str, TypeAdapter[Any]] = {}
        self._upcasts: dict[str, Upcast] = {}
        for name in dir(agent_class):
            member = inspect.getattr_static(agent_class, name)
            if isinstance(member, Upcast):
                self._add_upcast(member)
            for event_type in getattr(member, _FOLDS, ()):
                self._add_fold(name, event_type)

    def encode(self, event: Any) -> bytes:
        """Return an event as it is stored: its declared name, a line feed, its fields as JSON.

        Raises:
            RegistrationError: no method of the class folds events of this class.
        """
        cls = cast("type[Any]", type(event))
        if cls not in self._folds:
            raise RegistrationError(f"{self._owner} has no @fold method for {cls.__name__}")
        name = declared_payload_type(cls) or ""
        return name.encode() + _SEPARATOR + self._adapters[name].dump_json(event)

    def decode(self, stored: bytes) -> Any:
        """Return a stored event, up-cast to the version this class folds.

        Raises:
            StateVersionError: the class neither folds nor up-casts events of this name: newer code wrote it.
            PayloadError: its fields are not those of the event class.
        """
        head, _, fields = stored.partition(_SEPARATOR)
        name = head.decode()
        if name in self._adapters:
            return self._validated(name, lambda adapter: adapter.validate_json(fields))
        target, current = self._raised(name, json.loads(fields))
        return self._validated(target, lambda adapter: adapter.validate_python(current))

    def apply(self, agent: Any, event: Any) -> None:
        """Fold one event into the agent's state."""
        getattr(agent, self._folds[cast("type[Any]", type(event))])(event)

    def _raised(self, name: str, fields: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        while name not in self._adapters:
            step = self._upcasts.get(name)
            if step is None:
                raise StateVersionError(
                    f"{self._owner} has no @fold and no @upcast for the stored state event {name!r}:"
                    " was it written by newer code?"
                )
            name, fields = step.target, step.change(fields)
        return name, fields

    def _validated(self, name: str, validate: Callable[[TypeAdapter[Any]], Any]) -> Any:
        try:
            return validate(self._adapters[name])
        except ValidationError as error:
            raise invalid_payload(name, error) from error

    def _add_fold(self, method: str, event_type: type[Any]) -> None:
        name = declared_payload_type(event_type)
        if name is None:
            raise RegistrationError(
                f"the state event {event_type.__name__} of {self._owner} needs a declared name: @payload(...), since"
                " stored events outlive class names"
            )
        if name in self._adapters:
            raise RegistrationError(f"{self._owner} has two @fold methods for the state event {name!r}")
        self._folds[event_type], self._adapters[name] = method, TypeAdapter(event_type)

    def _add_upcast(self, step: Upcast) -> None:
        if step.source in self._upcasts:
            raise RegistrationError(f"{self._owner} up-casts the state event {step.source!r} twice")
        self._upcasts[step.source] = step


def _event_types(method: Callable[..., None]) -> tuple[type[Any], ...]:
    name = method.__qualname__
    if inspect.iscoroutinefunction(method):
        raise RegistrationError(f"fold {name} must not be async: it applies what has happened already")
    try:
        hints = get_type_hints(method)
    except NameError as error:
        raise RegistrationError(f"an annotation of fold {name} cannot be resolved ({error})") from error
    if "event" not in hints:
        raise RegistrationError(f"fold {name} needs a parameter named 'event' with a type annotation")
    return declared_types(hints["event"])
