"""`agentopic version`: what is installed."""

from __future__ import annotations

import typer

from agentopic.cli.flags import OutputFlag

app = typer.Typer(add_completion=False)

_LIBRARIES = ("pydantic", "aiokafka", "asyncpg", "openai", "opentelemetry-api", "protobuf")


@app.command()
def version(*, output: OutputFlag = "table") -> None:
    """Print the versions of agentopic, Python and the libraries that matter to it."""
    import platform
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    from agentopic import __version__
    from agentopic.cli.output import emit_json, emit_rows

    found: dict[str, str | None] = {"agentopic": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = installed(library)
        except PackageNotFoundError:
            found[library] = None
    if output == "json":
        emit_json(found)
    else:
        rows = [{"name": name, "version": number} for name, number in found.items()]
        emit_rows(rows, output, ("name", "version"))
