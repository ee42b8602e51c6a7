"""`ApprovalPolicy`: which tool calls are made, which are refused, and about which a person is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

Decision: TypeAlias = Literal["allow", "ask", "deny"]


class ApprovalRule(BaseModel):
    """A decision about calls of tools by name and arguments; patterns as in file names (`*`, `?`, `[abc]`)."""

    decision: Decision
    tool: str = "*"
    """A pattern of tool names."""
    arguments: dict[str, str] = {}
    """Patterns or whole values by argument names; all must fit. A text is compared as it is, anything else as its
    JSON; an argument that is not given fits nothing."""
    reason: str | None = None
    """Why, for the person who is asked and for the model that is refused."""

    def fits(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether the rule is about this call."""
        return fnmatchcase(tool, self.tool) and all(
            name in arguments and _fits(_as_text(arguments[name]), pattern) for name, pattern in self.arguments.items()
        )


class ApprovalPolicy(BaseModel):
    """The first rule that fits a call decides; where none does, `default`."""

    rules: list[ApprovalRule] = []
    default: Decision = "ask"

    def rule_for(self, tool: str, arguments: Mapping[str, Any]) -> ApprovalRule:
        """The rule that decides about a call."""
        fitting = (rule for rule in self.rules if rule.fits(tool, arguments))
        return next(fitting, ApprovalRule(decision=self.default))


def _fits(text: str, pattern: str) -> bool:
    return text == pattern or fnmatchcase(text, pattern)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
