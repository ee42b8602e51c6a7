"""`RunLog`: what a team has put out in its last run, numbered, for callers that come later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from agentopic.agentchat.messages import BaseAgentEvent, BaseChatMessage
from agentopic.agentchat.service._payloads import RunEnd, TeamOutput
from agentopic.agentchat.teams._group_chat._carried import Carried

_END: Final = TypeAdapter(RunEnd)


@dataclass(frozen=True, slots=True)
class _Kept:
    id: str
    dump: Mapping[str, Any]


class RunLog:
    """Keeps the items of one run until the next begins; saved, what the thread holds too is only named there."""

    def __init__(self) -> None:
        self.run = 0
        self.name: str | None = None
        self.cause = ""
        self.end: RunEnd | None = None
        self._items: list[_Kept] = []

    def begin(self, run: int, name: str | None, cause: str) -> None:
        """Begin the log of a run."""
        self.run, self.name, self.cause, self.end, self._items = run, name, cause, None, []

    def add(self, message: BaseAgentEvent | BaseChatMessage) -> TeamOutput:
        """Number the next message."""
        self._items.append(_Kept(message.id, message.dump()))
        return TeamOutput(run=self.run, number=len(self._items) - 1, message=Carried(message))

    def close(self, end: RunEnd) -> TeamOutput:
        """Number the end."""
        self.end = end
        return self._ending(end)

    def read(self, start: int, limit: int) -> list[TeamOutput]:
        """Up to `limit` items from this number on, and the end behind the last one."""
        numbered = list(enumerate(self._items))[start : start + limit]
        items = [TeamOutput(run=self.run, number=number, message=Carried(kept.dump)) for number, kept in numbered]
        if self.end is not None and start + len(items) >= len(self._items):
            items.append(self._ending(self.end))
        return items

    def _ending(self, end: RunEnd) -> TeamOutput:
        return TeamOutput(run=self.run, number=len(self._items), end=end)

    def dump(self, thread: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """All of it as JSON; `thread` is saved beside it."""
        known = {str(dump.get("id")) for dump in thread}
        return {
            "run": self.run,
            "name": self.name,
            "cause": self.cause,
            "end": None if self.end is None else _END.dump_python(self.end, mode="json"),
            "items": [kept.id if kept.id in known else kept.dump for kept in self._items],
        }

    def load(self, saved: Mapping[str, Any], thread: Sequence[Mapping[str, Any]]) -> None:
        """Take over what `dump` gave."""
        known = {str(dump.get("id")): dump for dump in thread}
        self.run, self.name, self.cause = int(saved["run"]), saved["name"], str(saved["cause"])
        self.end = None if saved["end"] is None else _END.validate_python(saved["end"])
        dumps = [known[item] if isinstance(item, str) else item for item in saved["items"]]
        self._items = [_Kept(str(dump["id"]), dump) for dump in dumps]
