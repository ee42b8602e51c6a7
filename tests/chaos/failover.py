"""How long the turns of a killed process stood still."""

from __future__ import annotations

from collections.abc import Sequence

from agentopic.testing.history import Fact


def failover_seconds(facts: Sequence[Fact]) -> list[float]:
    """Return, for each turn that was running in a process when it was killed, when it ran again elsewhere."""
    gaps: list[float] = []
    running: dict[tuple[str, str], Fact] = {}
    orphaned: dict[str, float] = {}
    for fact in facts:
        if fact.operation == "turn" and fact.phase == "invoke":
            running[fact.process, fact.subject] = fact
            if fact.subject in orphaned:
                gaps.append(fact.at - orphaned.pop(fact.subject))
        elif fact.operation == "turn":
            running.pop((fact.process, fact.subject), None)
        elif fact.operation == "fault" and fact.subject == "kill -9":
            for process, subject in [each for each in running if each[0] == fact.process]:
                del running[process, subject]
                orphaned[subject] = fact.at
    return gaps
