"""The verbs of the command line; a verb's module is imported when its name is typed or help is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

VERBS: Final = (
    "demo",
    "dev",
    "run",
    "publish",
    "send",
    "chat",
    "tail",
    "inbox",
    "dlq",
    "runs",
    "agents",
    "topics",
    "cost",
    "state",
    "migrate",
    "config",
    "doctor",
    "version",
)
"""In the order of the help: start, talk, inspect, care. Each is a module of this package with an `app`."""


class VerbGroup(TyperGroup):
    """Finds a verb by importing its module; the modules import what they need only when they run."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # pyright: ignore[reportIncompatibleMethodOverride] - typer's context class is private
        """Return the verbs in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - typer's context class is private
        """Return the command of a verb, or None; then all are loaded, so that a similar one can be named."""
        if cmd_name in VERBS:
            self._load(cmd_name)
        else:
            for verb in VERBS:
                self._load(verb)
        return self.commands.get(cmd_name)

    def _load(self, verb: str) -> None:
        if verb not in self.commands:
            self.commands[verb] = load_verb(verb)


def load_verb(verb: str) -> Any:
    """Import a verb's module and return its command."""
    command = get_command(import_module(f"agentopic.cli.{verb}").app)
    command.name = verb
    return command
