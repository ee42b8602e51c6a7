"""Waiting, control, spending, outside requests and event-sourced state."""

from __future__ import annotations

from alembic import op

from agentopic.adapters.journal.postgres.migrations.text import step_text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the tables."""
    op.execute(step_text(revision))
