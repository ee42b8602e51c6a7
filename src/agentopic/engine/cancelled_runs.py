"""Cancelled runs: their parked questions are withdrawn, so that turns nobody has in memory end too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from agentopic.engine.delivery import lane_id
from agentopic.engine.step_records import cancelled_record
from agentopic.engine.writer import Writer
from agentopic.ports.clock import Clock
from agentopic.ports.journal import Question, StepResult


async def withdraw_questions(writer: Writer, clock: Clock, groups: Sequence[str], runs: AbstractSet[str]) -> None:
    """Close the open questions of these runs: their lanes become ready, and their turns end as cancelled.

    Every process of the groups may do so; the first one's result is kept, and an answer given before stays.
    """
    questions = await writer.read(lambda: writer.journal.questions(groups))
    for question in questions:
        if _run_of(question) in runs:
            await writer.close_step(
                StepResult(
                    turn=question.turn,
                    key=question.step,
                    result=cancelled_record(0.0, clock.now()),
                    lane=lane_id(question.group, question.key),
                )
            )


def _run_of(question: Question) -> str:
    return str(json.loads(question.note)["run"])
