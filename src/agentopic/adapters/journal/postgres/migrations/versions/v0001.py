"""Lanes, deliveries, steps, answers and the outbox."""

from __future__ import annotations

from alembic import op

from agentopic.adapters.journal.postgres.migrations.text import step_text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Change the tables."""
    op.execute(step_text(revision))
