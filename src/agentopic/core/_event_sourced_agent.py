"""`EventSourcedAgent`: an agent whose state is what its recorded events fold to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from agentopic.core._routed_agent import RoutedAgent
from agentopic.core._serialization import invalid_payload
from agentopic.core._state_events import StateEvents
from agentopic.core._turn import current_turn
from agentopic.errors import RuntimeStateError, TurnClosedError

S = TypeVar("S")


class EventSourcedAgent(RoutedAgent, Generic[S]):
    """Keeps its state as events: handlers `record` them, methods marked with `fold` apply them.

    `state` is a pydantic model or dataclass, given at construction as it is before the first event. On a durable
    runtime the events of a turn are stored with its commit, and every `snapshot_every` events the state as well; the
    agent is loaded from the last snapshot and the events after it. `save_state` and `load_state` are the snapshot, so
    that the agent works on any runtime.

    Raises:
        RegistrationError: a fold, an up-cast or an event class is not declared as it must be.
    """

    snapshot_every: ClassVar[int] = 100
    """Events after which the state is stored as a snapshot, which makes them superfluous."""

    def __init__(self, description: str, state: S) -> None:
        super().__init__(description)
        self.state = state
        self._adapter: TypeAdapter[S] = TypeAdapter(type(state))
        self._events = _events_of(type(self))
        self._recording: list[bytes] | None = None
        self._spoilt: str | None = None
        """The event whose fold raised."""

    def record(self, event: Any) -> None:
        """Apply an event, and have it stored when the running turn commits; on other runtimes it is only applied.

        Raises:
            RegistrationError: no method folds events of this class.
            TurnClosedError: the turn it is called from has finished.
        """
        stored = self._events.encode(event)
        if self._recording is None and current_turn.get() is not None:
            raise TurnClosedError(f"{type(self).__name__} records {type(event).__name__} after its turn had finished")
        self._spoilt = type(event).__name__
        self._events.apply(self, event)
        self._spoilt = None
        if self._recording is not None:
            self._recording.append(stored)

    async def save_state(self) -> Mapping[str, Any]:
        """Return the state as JSON fields."""
        return cast("Mapping[str, Any]", self._adapter.dump_python(self.state, mode="json"))

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a state that `save_state` returned.

        Raises:
            PayloadError: it is none of this agent's state class.
        """
        try:
            self.state = self._adapter.validate_python(state)
        except ValidationError as error:
            raise invalid_payload(type(self.state).__name__, error) from error

    def replay(self, events: Sequence[bytes]) -> None:
        """Fold stored events into the state; for runtimes.

        Raises:
            StateVersionError: one is of a name this class does not know.
            PayloadError: one does not have the fields of its class.
        """
        for stored in events:
            self._events.apply(self, self._events.decode(stored))

    def begin_recording(self) -> None:
        """Collect the events recorded from now on; for runtimes, when a turn begins."""
        self._recording = []

    def end_recording(self) -> tuple[bytes, ...]:
        """Return the events recorded since `begin_recording`; for runtimes, when a turn ends.

        Raises:
            RuntimeStateError: a fold has failed on one, whether or not the handler went on: the state is half-way.
        """
        recorded, self._recording = self._recording or (), None
        if self._spoilt is not None:
            raise RuntimeStateError(
                f"a fold of {type(self).__name__} failed on {self._spoilt}: nothing of this turn can be kept"
            )
        return tuple(recorded)


def _events_of(agent_class: type[Any]) -> StateEvents:
    known = vars(agent_class).get("_agentopic_state_events")
    if known is None:
        # A class's folds do not change, so they are looked up once per class.
        known = agent_class._agentopic_state_events = StateEvents(agent_class)
    return cast("StateEvents", known)
