"""Which dead letters are meant: named ones, or all that pass some filters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from agentopic.errors import ConfigError, UnknownLetterError

if TYPE_CHECKING:
    from agentopic.engine.letters import DeadLetter, LetterState

_AGO: Final = re.compile(r"(\d{1,9})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_NAME: Final = re.compile(r"\d+:\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterChoice:
    """A choice of letters; what is not given does not matter."""

    names: Sequence[str] = field(default_factory=tuple[str, ...])
    event_type: str | None = None
    reason: str | None = None
    since: datetime | None = None
    key: str | None = None
    source: str | None = None
    event_id: str | None = None

    def of(self, states: Sequence[LetterState], *, settled: bool) -> Sequence[LetterState]:
        """Return the letters that are meant; those already dealt with only when named, or `settled`.

        Raises:
            UnknownLetterError: a name is no letter's.
        """
        if not self.names:
            return [each for each in states if (settled or each.status == "open") and self._fits(each.letter)]
        known = {each.letter.id: each for each in states}
        for name in self.names:
            if name not in known:
                hint = "" if _NAME.fullmatch(name) else ": a name has the form PARTITION:OFFSET"
                raise UnknownLetterError(f"there is no dead letter {name!r}{hint}; `agentopic dlq list` names them")
        return [known[name] for name in dict.fromkeys(self.names) if self._fits(known[name].letter)]

    def _fits(self, letter: DeadLetter) -> bool:
        agent, event = letter.agent, letter.event
        wanted = (
            (self.reason, letter.reason),
            (self.key, None if agent is None else agent.key),
            (self.event_type, None if event is None else event.type),
            (self.source, None if event is None else event.source),
            (self.event_id, None if event is None else event.id),
        )
        if any(asked is not None and asked != found for asked, found in wanted):
            return False
        return self.since is None or (letter.time is not None and letter.time >= self.since)


def parse_since(text: str | None) -> datetime | None:
    """Return the moment that `30m`, `12h`, `7d` ago or an ISO 8601 time names; without a zone it is UTC.

    Raises:
        ConfigError: it names none.
    """
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as exc:
        raise ConfigError(f"--since {text!r} is no time: write 30m, 12h, 7d or 2026-01-31T12:00:00Z") from exc
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
