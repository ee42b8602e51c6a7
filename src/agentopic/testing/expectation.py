"""`expect`: what a test demands of published events, told with the events themselves when it does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar, cast

from pydantic import TypeAdapter

from agentopic.core import AgentId, payload_type_name
from agentopic.core._payload import declared_payload_type
from agentopic.envelope import Envelope

T = TypeVar("T")

_SHOWN = 20
_WIDTH = 200


class Expectation:
    """Some events, narrowed down one condition after the other; every method but the last returns a new one."""

    def __init__(
        self, events: Sequence[Envelope], *, found: Sequence[Envelope] | None = None, sought: Sequence[str] = ()
    ) -> None:
        """Look among `events`; `found` are those that are left, by the conditions `sought`."""
        self._events, self._sought = tuple(events), tuple(sought)
        self._found = self._events if found is None else tuple(found)

    @property
    def events(self) -> Sequence[Envelope]:
        """The events left."""
        return self._found

    # ── which ──────────────────────────────────────────────────────────────────────────────────────────────

    def where(self, what: str, holds: Callable[[Envelope], bool]) -> Self:
        """Keep the events for which a condition of your own holds; `what` names it in a failure."""
        found = [each for each in self._found if holds(each)]
        return type(self)(self._events, found=found, sought=(*self._sought, what))

    def of_type(self, payload: str | type[Any]) -> Self:
        """Keep events of a payload class or type name (`shop.OrderPlaced.v1`).

        A class without `@payload` is looked for under its own name in any namespace.
        """
        if isinstance(payload, str):
            return self.where(f"of type {payload}", lambda event: event.type == payload)
        name = declared_payload_type(payload)
        if name is not None:
            return self.of_type(name)
        return self.where(
            f"of type {payload.__name__}",
            lambda event: event.type == payload_type_name(payload, event.type.rpartition(".")[0]),
        )

    def from_agent(self, agent: str | AgentId) -> Self:
        """Keep events that an agent type, or one agent, has published."""
        wanted = (agent.type, agent.key) if isinstance(agent, AgentId) else (agent, None)

        def is_sender(event: Envelope) -> bool:
            return event.agagentsendertype == wanted[0] and wanted[1] in {None, event.agagentsenderkey}

        return self.where(f"from {agent}", is_sender)

    def about(self, subject: str) -> Self:
        """Keep events whose subject, the source of their topic, is this."""
        return self.where(f"about {subject}", lambda event: event.subject == subject)

    def carrying(self, **fields: Any) -> Self:
        """Keep events whose data is a JSON object with these fields."""

        def has_fields(event: Envelope) -> bool:
            data = _fields(event)
            return all(name in data and data[name] == value for name, value in fields.items())

        return self.where(f"carrying {fields}", has_fields)

    # ── how many ───────────────────────────────────────────────────────────────────────────────────────────

    def exactly(self, count: int) -> Self:
        """Demand so many.

        Raises:
            AssertionError: there are more or fewer; it shows what there is.
        """
        return self._demand(len(self._found) == count, f"exactly {count}")

    def at_least(self, count: int) -> Self:
        """Demand so many or more; raises as `exactly`."""
        return self._demand(len(self._found) >= count, f"at least {count}")

    def at_most(self, count: int) -> Self:
        """Demand so many or fewer; raises as `exactly`."""
        return self._demand(len(self._found) <= count, f"at most {count}")

    def none(self) -> Self:
        """Demand that there is none; raises as `exactly`."""
        return self._demand(not self._found, "no")

    def one(self, payload: type[T]) -> T:
        """Demand exactly one and return its payload; raises as `exactly` and `payloads`."""
        return self.exactly(1).payloads(payload)[0]

    def payloads(self, payload: type[T]) -> list[T]:
        """Return the data of the events as objects of a class, in their order.

        Raises:
            ValidationError: the data of one is none.
        """
        adapter = TypeAdapter(payload)
        return [adapter.validate_json(each.data or b"") for each in self._found]

    def _demand(self, holds: bool, count: str) -> Self:
        if holds:
            return self
        sought = " ".join(self._sought)
        lines = [f"expected {count} event(s) {sought}".rstrip() + f", found {len(self._found)} of {len(self._events)}:"]
        found = {id(each) for each in self._found}
        lines += [f"  {'*' if id(each) in found else ' '} {_line(each)}" for each in self._events[:_SHOWN]]
        if len(self._events) > _SHOWN:
            lines.append(f"    ... and {len(self._events) - _SHOWN} more")
        raise AssertionError("\n".join(lines))


def expect(events: Sequence[Envelope]) -> Expectation:
    """Say what a test demands of these events: `expect(events).of_type(Paid).from_agent("till").exactly(1)`.

    A demand that does not hold raises AssertionError with all the events, one a line, those that match marked `*`.
    """
    return Expectation(events)


def _fields(event: Envelope) -> dict[str, Any]:
    try:
        data = json.loads(event.data or b"null")
    except ValueError:
        return {}
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def _line(event: Envelope) -> str:
    sender = f" from {event.agagentsendertype}/{event.agagentsenderkey}" if event.agagentsendertype else ""
    data = (event.data or b"").decode("utf-8", "replace")
    return f"{event.type} about {event.subject}{sender}: {data if len(data) <= _WIDTH else data[:_WIDTH] + '...'}"
