"""`agentopic state`: carry everything unfinished from one mesh to another."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer

from agentopic.cli.flags import JournalFlag, NamespaceFlag, TargetsArgument, TransportFlag

if TYPE_CHECKING:
    from agentopic.engine.service import AgentService
    from agentopic.settings import Settings

app = typer.Typer(add_completion=False, help="Carry state from one mesh to another.", no_args_is_help=True)

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for the standard stream.")]


@app.callback()
def state() -> None:
    """Carry state from one mesh to another: agents, unfinished work, recorded steps, open questions, timers."""


@app.command(name="export")
def export_command(
    file: FileArgument,
    targets: TargetsArgument,
    *,
    transport: TransportFlag = None,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Write all that is unfinished to a file, unread events included; exit code 5 while a service is running."""
    from agentopic.cli.session import admit_user_code, prepare
    from agentopic.cli.target import load_services

    settings = prepare(transport=transport, journal=journal, namespace=namespace)
    admit_user_code(settings)
    services = load_services(targets)
    with _written(file) as out:
        counts = asyncio.run(_export(settings, services, out))
    _note("exported", counts)


@app.command(name="import")
def import_command(
    file: FileArgument,
    *,
    journal: JournalFlag = None,
    namespace: NamespaceFlag = None,
) -> None:
    """Store what an exported file holds and is not there yet; exit code 5 while a service is running."""
    from agentopic.cli.session import prepare

    settings = prepare(journal=journal, namespace=namespace)
    with _read(file) as source:
        stored = asyncio.run(_import(settings, source))
    _note("imported", {"rows": stored})


async def _export(settings: Settings, services: list[AgentService], out: BinaryIO) -> Mapping[str, int]:
    from agentopic import wiring
    from agentopic.engine.carry_over import export_state
    from agentopic.engine.standstill import standstill
    from agentopic.engine.taking_in import take_in
    from agentopic.envelope.kafka_topics import consumer_group

    options = wiring.engine_options(settings)
    groups = [consumer_group(options.namespace, service.name) for service in services]
    mesh = wiring.mesh(settings)
    try:
        journal = mesh.journal
        if journal is not None:
            await journal.start()
            async with standstill(journal, groups, clock=mesh.clock, lease_seconds=options.lease_seconds):
                pass  # nothing is taken in from under a living process
        await take_in(wiring.mesh(settings), options, services)
        return await export_state(mesh, options, groups, out)
    finally:
        await mesh.aclose()


async def _import(settings: Settings, source: BinaryIO) -> int:
    from agentopic import wiring
    from agentopic.engine.carry_over import import_state

    mesh = wiring.mesh(settings)
    try:
        if mesh.journal is not None:
            await mesh.journal.start()
        return await import_state(mesh, wiring.engine_options(settings), source)
    finally:
        await mesh.aclose()


@contextmanager
def _written(file: str) -> Generator[BinaryIO]:
    """A file appears when it is whole, readable by its owner alone: it holds every payload."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(file)
    part = target.with_name(f".{target.name}.part")
    with _opened(part, "x") as out:
        try:
            part.chmod(0o600)
            yield out
            out.flush()
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _read(file: str) -> Generator[BinaryIO]:
    import shutil
    from tempfile import TemporaryFile

    if file != "-":
        with _opened(Path(file), "r") as source:
            yield source
        return
    with TemporaryFile() as spooled:  # it is read twice: checked, then stored
        shutil.copyfileobj(sys.stdin.buffer, spooled)
        yield spooled


def _opened(path: Path, mode: Literal["r", "x"]) -> BinaryIO:
    from agentopic.errors import StateFileError

    try:
        return path.open("rb" if mode == "r" else "xb")
    except OSError as exc:
        raise StateFileError(f"{path} cannot be opened: {exc.strerror or exc}") from exc


def _note(what: str, counts: Mapping[str, int]) -> None:
    from agentopic.cli.output import note

    note(f"{what}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
