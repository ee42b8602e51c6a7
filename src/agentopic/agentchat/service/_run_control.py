"""`RunControl`: pausing, resuming, cancelling and answering across processes, where the runtime can."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, cast

from agentopic.core import AgentId, AgentRuntime
from agentopic.errors import TeamError

LOOK_SECONDS: Final = 0.2
"""How often it is looked whether a question that was announced is open."""


class Question(Protocol):
    """An open question of an agent."""

    @property
    def id(self) -> str:
        """What it is answered by."""
        ...

    @property
    def agent(self) -> AgentId:
        """Who asks."""
        ...

    @property
    def note(self) -> dict[str, Any]:
        """What is asked: `text`, `choices`, `details`, `run`, `asked`."""
        ...


class Control(Protocol):
    """What a durable runtime offers as `control`."""

    async def questions(self, agent_types: Sequence[str] | None = None) -> Sequence[Question]:
        """The open questions of agent types."""
        ...

    async def answer(self, question_id: str, agent: AgentId, value: Any) -> None:
        """Answer a question."""
        ...

    async def cancel_run(self, run_id: str) -> None:
        """End everything one event has caused."""
        ...

    async def pause(self, agent: AgentId) -> None:
        """Have an agent start no further turn."""
        ...

    async def resume(self, agent: AgentId) -> None:
        """Let it go on."""
        ...


def control_of(runtime: AgentRuntime) -> Control:
    """The runtime's control.

    Raises:
        TeamError: this kind of runtime has none.
    """
    control = getattr(runtime, "control", None)
    if control is None:
        raise TeamError(f"a {type(runtime).__name__} cannot do this to agents elsewhere: use a DurableRuntime")
    return cast("Control", control)


async def open_questions(control: Control, seats: Sequence[AgentId]) -> list[Question]:
    """What these agents ask, oldest first."""
    found = await control.questions([seat.type for seat in seats])
    return [each for each in found if each.agent in seats]


async def announced_question(control: Control, seats: Sequence[AgentId], request_id: str, seconds: float) -> Question:
    """The question that was announced by an event with this request id.

    Raises:
        TeamError: it is not open, and has not been within so many seconds.
    """
    try:
        async with asyncio.timeout(seconds):
            while True:
                for question in await open_questions(control, seats):
                    details: Any = question.note.get("details")
                    asked = cast("Mapping[str, Any]", details).get("request_id") if isinstance(details, dict) else None
                    if request_id in {asked, question.id}:
                        return question
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as exc:
        raise TeamError(f"no question {request_id!r} is open: somebody may have answered it") from exc
