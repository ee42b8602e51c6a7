"""What bringing a journal's schema up to this program has changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """The version of the tables before, 0 when there were none, and now; of a rehearsal: what it would be."""

    before: int
    now: int
    functions_alone: bool = False
    """Whether the tables were of this version, and the functions beside them of another program."""

    @property
    def is_change(self) -> bool:
        """Whether anything was, or would be, changed."""
        return self.before != self.now or self.functions_alone
