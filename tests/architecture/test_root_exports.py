"""What `from agentopic import …` offers is a short list that changes only on purpose."""

from __future__ import annotations

from pathlib import Path

import agentopic

SNAPSHOT = Path(__file__).with_name("root_exports.txt")


def test_the_root_exports_are_those_of_the_snapshot() -> None:
    exported = "".join(f"{name}\n" for name in sorted(agentopic.__all__))

    assert exported == SNAPSHOT.read_text(), f"if meant, write this list into {SNAPSHOT.name}:\n{exported}"


def test_the_root_exports_at_most_40_names_and_each_exists() -> None:
    missing = [name for name in agentopic.__all__ if not hasattr(agentopic, name)]

    assert missing == []
    assert len(agentopic.__all__) <= 40
