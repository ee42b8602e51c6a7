"""The program: builds the command tree, runs it and turns errors into one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from typer.main import get_command

from agentopic.cli.exits import Exit, exit_code
from agentopic.cli.verbs import VerbGroup
from agentopic.errors import AgentopicError

# Errors of the client libraries say what is wrong; what to do about it is the same for all of a kind.
_REMEDIES: dict[int, str] = {
    Exit.UNREACHABLE: "; start it, or correct AGENTOPIC_TRANSPORT or AGENTOPIC_JOURNAL (`agentopic doctor`)"
}


@dataclass(slots=True)
class Invocation:
    """What the flags before the verb say."""

    debug: bool = False


def build(invocation: Invocation) -> typer.Typer:
    """Return the command tree; running it fills in the invocation."""
    app = typer.Typer(
        name="agentopic",
        cls=VerbGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(  # pyright: ignore[reportUnusedFunction] - typer calls it
        *, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False
    ) -> None:
        """Run AI agents as durable services on Kafka topics, and talk to them."""
        invocation.debug = debug

    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process with the code of what happened."""
    invocation = Invocation()
    command = get_command(build(invocation))
    try:
        command.main(args=arguments, prog_name="agentopic")
    except AgentopicError as exc:
        _report(exc, exit_code(exc), debug=invocation.debug)
    except KeyboardInterrupt as exc:
        _report(exc, Exit.INTERRUPTED, debug=invocation.debug)


def _report(exc: BaseException, code: int, *, debug: bool) -> None:
    from agentopic.settings import masked

    if debug:
        import traceback

        traceback.print_exception(exc)
    text = (" ".join(str(exc).split()) or type(exc).__name__) + _REMEDIES.get(code, "")
    print(f"agentopic: {masked(text)}", file=sys.stderr)  # noqa: T201 - the one line of an error
    sys.exit(code)
