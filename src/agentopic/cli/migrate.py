"""`agentopic migrate`: the tables of a journal, brought up ahead of a deployment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from agentopic.cli.flags import JournalFlag, OutputFlag

if TYPE_CHECKING:
    from agentopic.adapters.journal.migrated import Migrated

app = typer.Typer(add_completion=False)


@app.command()
def migrate(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be changed.")] = False,
    output: OutputFlag = "table",
    journal: JournalFlag = None,
) -> None:
    """Bring the tables of a PostgreSQL or SQLite journal to this version and say what was done.

    Every start of a service does the same; ahead of a deployment it can be done once, by whoever may change tables.
    """
    from agentopic import wiring
    from agentopic.cli.output import emit_rows
    from agentopic.cli.session import prepare
    from agentopic.settings import masked

    settings = prepare(journal=journal)
    url = settings.journal_url()
    migrated = asyncio.run(wiring.migrate_journal(url, rehearse=dry_run))
    row = {"journal": masked(url), "before": migrated.before, "now": migrated.now, "action": _action(migrated, dry_run)}
    emit_rows([row], output, ("journal", "before", "now", "action"))


def _action(migrated: Migrated, dry_run: bool) -> str:
    if not migrated.is_change:
        return "up to date"
    if migrated.functions_alone:
        done, wanted = "functions replaced", "would replace functions"
    elif migrated.before == 0:
        done, wanted = "created", "would create"
    else:
        done, wanted = "upgraded", "would upgrade"
    return wanted if dry_run else done
