"""The statements that lead from one version of the tables to the newest, in the order that alembic gives them."""

from __future__ import annotations

from importlib.resources import as_file, files
from io import StringIO

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory


def upgrade_text(stored: int) -> str:
    """Return one script: every step after the stored version (0: no tables yet).

    The version is kept beside the tables by whoever runs the script, in the same transaction.
    """
    written = StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "transactional_ddl": False}
    )
    with as_file(files("agentopic.adapters.journal.postgres.migrations")) as place, Operations.context(context):
        chain = ScriptDirectory(str(place))
        base = f"{stored:04}" if stored else "base"
        for step in reversed(list(chain.iterate_revisions("head", base))):
            step.module.upgrade()
    return written.getvalue()
