"""What the surroundings say about the test bed: the only reader of the environment in this package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BedEnvironment:
    """Where the test bed finds or keeps its servers."""

    cache: Path
    """Folder outside any work tree that keeps the broker's jars (`AGENTOPIC_BED_CACHE`)."""
    java_home: Path | None = None
    """A Java installation to prefer (`JAVA_HOME`)."""
    kafka: str | None = None
    """`host:port` of a broker to use instead of an own one (`AGENTOPIC_TEST_KAFKA`)."""
    postgres: str | None = None
    """DSN of a server to use instead (`AGENTOPIC_TEST_POSTGRES`); its user may create databases."""
    redis: str | None = None
    """URL of a Redis to use instead of an own one (`AGENTOPIC_TEST_REDIS`)."""
    ci: bool = False
    """Whether a missing server is a failure instead of a gap (`CI`)."""
    figures: Path = Path("build/proof.jsonl")
    """Where fault suites write their figures (`AGENTOPIC_TEST_FIGURES`)."""
    full: bool = False
    """Whether fault suites run with full counts (`CHAOS_SCALE=full`)."""


def read_environment(variables: Mapping[str, str] | None = None) -> BedEnvironment:
    """Read the test bed's settings from `variables`, by default those of this process."""
    found = os.environ if variables is None else variables
    cache = found.get("AGENTOPIC_BED_CACHE")
    java_home = found.get("JAVA_HOME")
    return BedEnvironment(
        cache=Path(cache) if cache else Path.home() / ".cache" / "agentopic",
        java_home=Path(java_home) if java_home else None,
        kafka=found.get("AGENTOPIC_TEST_KAFKA") or None,
        postgres=found.get("AGENTOPIC_TEST_POSTGRES") or None,
        redis=found.get("AGENTOPIC_TEST_REDIS") or None,
        ci=found.get("CI", "").lower() not in {"", "0", "false", "no"},
        figures=Path(found.get("AGENTOPIC_TEST_FIGURES") or "build/proof.jsonl"),
        full=found.get("CHAOS_SCALE") == "full",
    )
