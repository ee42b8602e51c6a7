"""`Handoff`: lets a model pass the conversation to another agent by calling a tool."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, model_validator

from agentopic.core.tools import BaseTool, FunctionTool


class Handoff(BaseModel):
    """A transfer to `target`; what is not given is made from the target's name."""

    target: str
    description: str = Field(default="")
    """When to transfer, for the model."""
    name: str = Field(default="")
    """The tool's name."""
    message: str = Field(default="")
    """What the target is told."""

    @model_validator(mode="before")
    @classmethod
    def set_defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fill in description, name and message; ValueError when a given name is no identifier."""
        target = values.get("target")
        if not isinstance(target, str):
            return values  # refused by the field itself
        given = values.get("name")
        if given and not (isinstance(given, str) and given.isidentifier()):
            raise ValueError(f"handoff name must be a valid identifier: {given!r}")
        name = given or f"transfer_to_{target}".lower()
        return {
            **values,
            "name": name,
            "description": values.get("description") or f"Handoff to {target}.",
            "message": values.get("message") or f"Transferred to {target}, adopting the role of {target} immediately.",
        }

    @property
    def handoff_tool(self) -> BaseTool[BaseModel, BaseModel]:
        """The tool that stands for this transfer; its result is the message."""

        def transfer() -> str:
            return self.message

        return _HandoffTool(transfer, self.description, self.name, strict=True, effect="pure")


class _HandoffTool(FunctionTool):
    """Gives a constant, so there is nothing to record."""

    step_scope = True
